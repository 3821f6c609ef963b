import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../local/tables/dynoxide.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const venv = join(root, '.local', 'deploy-gate');
const emulator = 'ministack==1.5.33';

/** The emulator takes an access key id of twelve digits as the account. */
const account = '000000000000';
const region = 'us-east-1';

export interface Emulator {
  readonly port: number;
  readonly account: string;
  readonly region: string;
  /** Options for a client of the AWS SDK. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** Environment variables that make a program use the emulator instead of AWS. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const run = (command: string, args: readonly string[], hint: string): void => {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  const reason = stderr?.trim().split('\n').at(-1);
  if (status !== 0) throw new Error(reason ? `${hint} (${reason})` : hint);
};

/** Path of Python in a virtual environment with the emulator. Created once in .local/. */
const python = (): string => {
  const binary = join(venv, 'bin', 'python');
  const freeze = (): string => String(spawnSync(binary, ['-m', 'pip', 'freeze'], { encoding: 'utf8' }).stdout);
  if (existsSync(binary) && freeze().includes(emulator)) return binary;
  run(
    'python3',
    ['-c', 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10)'],
    'The deploy gate needs Python 3.10 or newer with venv.',
  );
  mkdirSync(join(root, '.local'), { recursive: true });
  run('python3', ['-m', 'venv', '--clear', venv], 'The deploy gate could not create a Python environment.');
  run(
    binary,
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', emulator],
    `The deploy gate could not install ${emulator} from PyPI.`,
  );
  return binary;
};

/** Starts an emulator of AWS on a free loopback port. Its log is a file in `folder`. */
export const startEmulator = async (folder: string): Promise<Emulator> => {
  const binary = python();
  const port = await freePort();
  // The package's Node 24 comes first, because the emulator runs functions with the first `node` of its path.
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);
  const environment = {
    PATH: path,
    HOME: folder,
    TMPDIR: folder,
    AWS_ENDPOINT_URL: `http://localhost:${port}`,
    AWS_ACCESS_KEY_ID: account,
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const logFile = join(folder, 'emulator.log');
  const log = openSync(logFile, 'a');
  const child: ChildProcess = spawn(binary, ['-m', 'ministack'], {
    // Its own process group, so that its workers end together with it.
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      ...environment,
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
    },
  });
  const isRunning = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const end = (signal: NodeJS.Signals): void => {
    if (isRunning()) process.kill(-Number(child.pid), signal);
  };
  // The emulator must end with the gate, however the gate ends.
  process.once('exit', () => end('SIGKILL'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const stop = async (): Promise<void> => {
    if (!isRunning()) return;
    const gone = once(child, 'exit');
    end('SIGTERM');
    await Promise.race([gone, sleep(5_000, undefined, { ref: false })]);
    end('SIGKILL');
  };
  for (let tries = 0; ; tries++) {
    const isUp = await fetch(`http://127.0.0.1:${port}/_ministack/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) break;
    if (tries === 300 || !isRunning()) {
      await stop();
      throw new Error(`The emulator did not start: ${readFileSync(logFile, 'utf8').slice(-500)}`);
    }
    await sleep(100);
  }
  const client = {
    endpoint: `http://127.0.0.1:${port}`,
    region,
    credentials: { accessKeyId: account, secretAccessKey: 'x' },
  };
  return { port, account, region, client, environment, stop };
};
