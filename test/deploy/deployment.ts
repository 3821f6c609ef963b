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

/** Runs the CDK's command line in a checkout, or another command that calls it. Returns the output; throws if it fails. */
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
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${[...command, ...args].slice(0, 2).join(' ')} failed:\n${output.slice(-3000)}`);
  say(
    `✓ ${command.length > 1 ? 'npm run deploy' : `cdk ${args[0]}`} (${((Date.now() - started) / 1000).toFixed(1)} s)`,
  );
  return output;
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

/** Deploys this release with `npm run deploy`, as its users do, with the preflight checks. */
export const deployByCommand = (emulator: Emulator, checkout: string, folder: string): Promise<string> =>
  cdk(emulator, checkout, deployArgs(folder), ['node', join(checkout, 'bin', 'deploy.ts')]);

/** Deploys the stack of a checkout over the existing deployment. */
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
 * Sets the visibility timeout of both lanes to 20 s. The emulator, unlike Lambda, kills running invocations when it replaces a
 * function's code, and their messages return after the visibility timeout: the stack's own 270 s are too long for the gate.
 */
export const shortenVisibilityTimeouts = async (emulator: Emulator): Promise<void> => {
  const client = new SQSClient(emulator.client);
  const { QueueUrls = [] } = await client.send(new ListQueuesCommand({}));
  const lanes = QueueUrls.filter((url) => /deliverydeliveries|deliveryslow/.test(url));
  if (lanes.length !== 2) throw new Error(`Expected two lanes, found ${lanes.join(', ')}`);
  const Attributes = { VisibilityTimeout: '20' };
  for (const QueueUrl of lanes) await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
};

/** Polls until `read` returns a value. Throws after `seconds`; `expectation` is a sentence for the error. */
export const eventually = async <T>(
  expectation: string,
  seconds: number,
  read: () => T | undefined | Promise<T | undefined>,
): Promise<T> => {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`Not within ${seconds} s: ${expectation}`);
    await sleep(200);
  }
};
