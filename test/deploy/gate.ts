import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { verifyPasspost } from '../helpers/receivers/passpost.ts';
import { apiCaller } from './api-call.ts';
import { deliverToEachProfile } from './each-profile.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { startRefusingReceiver } from './refusing-receiver.ts';

// A real `cdk deploy` of the whole stack into an emulator of AWS: a task over HTTP ends as a verified delivery, a refusal
// is tried again, and deploying the same code once more changes nothing.

const say = (line: string): void => console.log(line);

/** Runs the CDK's command line and gives what it said. */
const cdk = async (emulator: Emulator, ...args: readonly string[]): Promise<string> => {
  const started = Date.now();
  const child = spawn('cdk', [...args, '--no-notices'], {
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

const eventually = async <T>(what: string, seconds: number, look: () => T | undefined | Promise<T | undefined>) => {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`${what} within ${seconds} s: it did not`);
    await sleep(200);
  }
};

const readOperatorKey = async (emulator: Emulator, secretArn: string): Promise<string> => {
  const client = new SecretsManagerClient({
    endpoint: `http://127.0.0.1:${emulator.port}`,
    region: emulator.region,
    credentials: { accessKeyId: emulator.account, secretAccessKey: 'x' },
  });
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
  return SecretString;
};

/** The PassPost page's own task. */
const task = {
  item: 'Forgotten passport',
  category: 'Documents',
  size: 'envelope',
  urgency: 'express',
  reward_nok: 250,
  pickup: { city: 'Oslo', address: 'Karl Johans gate 31' },
  dropoff: { city: 'Bergen', address: 'Bryggen 5' },
  recipient: { name: 'The guest', phone: '+4791234567' },
  external_reference: 'RES-2026-00042',
};

const tryTheApi = async (emulator: Emulator, outputs: Readonly<Record<string, string>>): Promise<void> => {
  const apiId = new URL(outputs.ApiUrl ?? '').hostname.split('.')[0] ?? '';
  const call = apiCaller(emulator.port, apiId);
  const operatorKey = await readOperatorKey(emulator, outputs.OperatorKeySecret ?? '');
  assert.match(operatorKey, /^pp_live_/, 'the operator key is in its secret');
  assert.ok(!JSON.stringify(outputs).includes(operatorKey), 'and in no output');

  const receiver = await startRefusingReceiver();
  try {
    const account = await call('POST', '/api/public/v1/accounts', operatorKey, { name: 'Deploy gate' });
    assert.equal(account.status, 201, JSON.stringify(account.body));
    const key = String(account.body.key);
    say('✓ the operator makes an account');

    const webhook = await call('POST', '/api/public/v1/webhooks', key, {
      url: receiver.url,
      events: ['*'],
      allow_http: true,
      schedule: [1],
    });
    assert.equal(webhook.status, 201, JSON.stringify(webhook.body));
    const secret = String(webhook.body.secret);
    assert.match(secret, /^whsec_/);

    const created = await call('POST', '/api/public/v1/tasks', key, task);
    assert.equal(created.status, 201, JSON.stringify(created.body));
    const accepted = await call('POST', `/api/public/v1/tasks/${created.body.id}/accept`, key, {});
    assert.equal(accepted.status, 200, JSON.stringify(accepted.body));
    say('✓ a task is created and accepted');

    const [first, second] = await eventually('The refused delivery is tried again', 60, () =>
      receiver.received.length >= 2 ? receiver.received : undefined,
    );
    assert.ok(first && second);
    assert.deepEqual([first.answered, second.answered], [503, 200]);
    for (const received of [first, second]) assert.ok(verifyPasspost(received, secret), 'its signature is right');
    const event = JSON.parse(second.body);
    assert.equal(event.type, 'task.accepted');
    assert.equal(event.data.task.id, created.body.id);
    const waitedMs = second.atMs - first.atMs;
    assert.ok(waitedMs >= 1000, `the retry came ${waitedMs} ms after the refusal, too early`);
    say(`✓ the refused delivery is tried again after ${(waitedMs / 1000).toFixed(1)} s, signed both times`);

    await eventually('The delivery is listed as delivered, at its second attempt', 20, async () => {
      const { status, body } = await call('GET', `/api/public/v1/webhooks/${webhook.body.id}/deliveries`, key);
      assert.equal(status, 200, JSON.stringify(body));
      const [delivery] = body.data as readonly { status: string; attempts_made: number }[];
      return delivery?.status === 'delivered' && delivery.attempts_made === 2 ? true : undefined;
    });
    say('✓ the listing says delivered, at the second attempt');
    assert.equal(receiver.received.length, 2, 'nothing was sent that was not asked for');
    assert.equal((await call('DELETE', `/api/public/v1/webhooks/${webhook.body.id}`, key)).status, 204);
    await deliverToEachProfile(call, key, eventually);
    say('✓ one event arrives by each profile');
  } finally {
    await receiver.stop();
  }
};

const passTheGate = async (folder: string, emulator: Emulator): Promise<void> => {
  const outputsFile = join(folder, 'outputs.json');
  const app = ['--output', join(folder, 'cdk.out'), '-c', 'stage=test', '-c', 'egressAllow=loopback'];
  const deploy = ['deploy', ...app, '--require-approval', 'never', '--progress', 'events', '--ci'];

  await cdk(emulator, 'bootstrap', `aws://${emulator.account}/${emulator.region}`, ...app);
  await cdk(emulator, ...deploy, '--outputs-file', outputsFile);
  const outputs: Record<string, Record<string, string>> = JSON.parse(readFileSync(outputsFile, 'utf8'));
  await tryTheApi(emulator, outputs['passpost-test'] ?? {});

  const again = await cdk(emulator, ...deploy);
  assert.match(again, /no changes/, `the second deploy changes nothing:\n${again.slice(-2000)}`);
  say('✓ the second deploy changes nothing');
};

const main = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'passpost-gate-'));
  let isKept = false;
  process.once('exit', () => {
    if (!isKept) rmSync(folder, { recursive: true, force: true });
  });
  let emulator: Emulator | undefined;
  try {
    emulator = await startEmulator(folder);
    await passTheGate(folder, emulator);
  } catch (error) {
    console.error(`✗ ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
    if (emulator) {
      console.error(`What the emulator said: ${join(folder, 'emulator.log')}`);
      isKept = true;
    }
  } finally {
    await emulator?.stop();
  }
};

await main();
