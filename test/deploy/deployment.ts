import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type ApiAnswer, apiCaller } from './api-call.ts';
import type { Emulator } from './emulator.ts';

export const say = (line: string): void => console.log(line);

/** Runs the CDK's command line in a checkout and gives what it said. */
const cdk = async (emulator: Emulator, checkout: string, args: readonly string[]): Promise<string> => {
  const started = Date.now();
  const child = spawn('cdk', [...args, '--no-notices'], {
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
  if (code !== 0) throw new Error(`cdk ${args[0]} failed:\n${said.slice(-3000)}`);
  say(`✓ cdk ${args[0]} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
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
  /** What the CDK's command line said. */
  readonly said: string;
  readonly operatorKey: string;
  readonly outputs: Readonly<Record<string, string>>;
  call(method: string, path: string, key: string | null, body?: unknown): Promise<ApiAnswer>;
}

const readOperatorKey = async (emulator: Emulator, secretArn: string): Promise<string> => {
  const client = new SecretsManagerClient(emulator.client);
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
  return SecretString;
};

/** Deploys a checkout's stack over what is there. */
export const deploy = async (emulator: Emulator, checkout: string, folder: string): Promise<Deployment> => {
  const outputsFile = join(folder, 'outputs.json');
  const said = await cdk(emulator, checkout, [
    'deploy',
    ...appArgs(folder),
    ...['--require-approval', 'never', '--progress', 'events', '--ci', '--outputs-file', outputsFile],
  ]);
  const outputs = JSON.parse(readFileSync(outputsFile, 'utf8'))['passpost-test'] ?? {};
  const apiId = new URL(outputs.ApiUrl ?? '').hostname.split('.')[0] ?? '';
  const operatorKey = await readOperatorKey(emulator, outputs.OperatorKeySecret ?? '');
  return { said, operatorKey, outputs, call: apiCaller(emulator.port, apiId) };
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
