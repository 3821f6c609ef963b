import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListQueuesCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { apiCaller, type Call } from './api-call.ts';
import type { Emulator } from './emulator.ts';

export const say = (line: string): void => console.log(line);

/** Runs the CDK's command line in a checkout, or what `npm run deploy` is, and gives what it said. */
const cdk = async (
  emulator: Emulator,
  checkout: string,
  args: readonly string[],
  command: readonly [string, ...string[]] = ['cdk'],
): Promise<string> => {
  const started = Date.now();
  const [program, ...first] = command;
  const child = spawn(program, [...first, ...args, '--no-notices'], {
    cwd: checkout,
    env: { ...emulator.environment, CDK_DISABLE_CLI_TELEMETRY: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${[...command, ...args].slice(0, 2).join(' ')} failed:\n${said.slice(-3000)}`);
  say(
    `✓ ${command.length > 1 ? 'npm run deploy' : `cdk ${args[0]}`} (${((Date.now() - started) / 1000).toFixed(1)} s)`,
  );
  return said;
};

const appArgs = (folder: string) => [
  '--output',
  join(folder, 'cdk.out'),
  '-c',
  'stage=test',
  '-c',
  'egressAllow=loopback',
];

export const bootstrap = async (emulator: Emulator, checkout: string, folder: string): Promise<void> => {
  await cdk(emulator, checkout, ['bootstrap', `aws://${emulator.account}/${emulator.region}`, ...appArgs(folder)]);
};

export interface Deployment {
  readonly operatorKey: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly call: Call;
}

const readOperatorKey = async (emulator: Emulator, secretArn: string): Promise<string> => {
  const client = new SecretsManagerClient(emulator.client);
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
  return SecretString;
};

type Settings = Readonly<Record<string, string>>;

const deployArgs = (folder: string, settings: Settings = {}) => [
  ...appArgs(folder),
  ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ...['--require-approval', 'never', '--progress', 'events', '--ci', '--outputs-file', join(folder, 'outputs.json')],
];

/** Deploys this release as its users do, with all that is checked before. */
export const deployByCommand = (emulator: Emulator, checkout: string, folder: string): Promise<string> =>
  cdk(emulator, checkout, deployArgs(folder), ['node', join(checkout, 'bin', 'deploy.ts')]);

/** Deploys a checkout's stack over what is there. */
export const deploy = async (
  emulator: Emulator,
  checkout: string,
  folder: string,
  settings: Settings = {},
): Promise<Deployment> => {
  await cdk(emulator, checkout, ['deploy', ...deployArgs(folder, settings)]);
  const outputsFile = join(folder, 'outputs.json');
  const outputs = JSON.parse(readFileSync(outputsFile, 'utf8'))['passpost-test'] ?? {};
  const apiId = new URL(outputs.ApiUrl ?? '').hostname.split('.')[0] ?? '';
  const operatorKey = await readOperatorKey(emulator, outputs.OperatorKeySecret ?? '');
  return { operatorKey, outputs, call: apiCaller(emulator.port, apiId) };
};

/**
 * The emulator kills what a function is at when its code is replaced, which Lambda does not; the messages of such a batch
 * come back after the queue's visibility timeout. Four and a half minutes are more than the gate can wait.
 */
export const bringKilledBackSoon = async (emulator: Emulator): Promise<void> => {
  const client = new SQSClient(emulator.client);
  const { QueueUrls = [] } = await client.send(new ListQueuesCommand({}));
  const lanes = QueueUrls.filter((url) => /deliverydeliveries|deliveryslow/.test(url));
  if (lanes.length !== 2) throw new Error(`two lanes were expected, not ${lanes.join(', ')}`);
  const Attributes = { VisibilityTimeout: '20' };
  for (const QueueUrl of lanes) await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
};

export const eventually = async <T>(
  what: string,
  seconds: number,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> => {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`${what} within ${seconds} s: it did not`);
    await sleep(200);
  }
};
