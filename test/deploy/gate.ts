import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { taskContentExample as task } from '../../lambdas/domain/events/event-samples.ts';
import { verifyPasspost } from '../helpers/receivers/passpost.ts';
import {
  bootstrap,
  type Deployment,
  deploy,
  deployByCommand,
  eventually,
  say,
  shortenVisibilityTimeouts,
} from './deployment.ts';
import { deliverToEachProfile } from './each-profile.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { deployEverySetting } from './every-setting.ts';
import { checkOutFormerRelease, formerRelease } from './former-release.ts';
import { operate } from './operate.ts';
import { startRefusingReceiver } from './refusing-receiver.ts';
import { smokeFormerRelease, smokeThisRelease } from './try-smoke.ts';
import { Load } from './upgrade.ts';

// Runs a real `cdk deploy` of the whole stack into an emulator of AWS and checks that:
// - an upgrade from the former release under load loses no event and no waiting retry, and a downgrade under load loses none either
// - a task becomes a delivery with a valid signature, and a refused delivery is retried
// - the smoke test deletes everything that it created
// - deploying the same code twice changes nothing
// - every setting can be changed

const root = fileURLToPath(new URL('../..', import.meta.url));

const tryTheApi = async ({ call, operatorKey, outputs }: Deployment): Promise<void> => {
  assert.match(operatorKey, /^pp_live_/, 'the secret must contain the operator key');
  assert.ok(!JSON.stringify(outputs).includes(operatorKey), 'no output may contain the operator key');

  const receiver = await startRefusingReceiver();
  try {
    const account = await call('POST', '/api/public/v1/accounts', operatorKey, { name: 'Deploy gate' });
    assert.equal(account.status, 201, JSON.stringify(account.body));
    const key = String(account.body.key);
    say('✓ the operator creates an account');

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

    const [first, second] = await eventually('the refused delivery is retried', 60, () =>
      receiver.received.length >= 2 ? receiver.received : undefined,
    );
    assert.ok(first && second);
    assert.deepEqual([first.answered, second.answered], [503, 200]);
    for (const received of [first, second]) assert.ok(verifyPasspost(received, secret), 'the signature must be valid');
    const event = JSON.parse(second.body);
    assert.equal(event.type, 'task.accepted');
    assert.equal(event.data.task.id, created.body.id);
    const waitedMs = second.atMs - first.atMs;
    assert.ok(waitedMs >= 1000, `the retry came too early, ${waitedMs} ms after the refusal`);
    say(`✓ the refused delivery is retried after ${(waitedMs / 1000).toFixed(1)} s, and both signatures are valid`);

    await eventually('the delivery is listed as delivered at its second attempt', 20, async () => {
      const { status, body } = await call('GET', `/api/public/v1/webhooks/${webhook.body.id}/deliveries`, key);
      assert.equal(status, 200, JSON.stringify(body));
      const [delivery] = body.data as readonly { status: string; attempts_made: number }[];
      return delivery?.status === 'delivered' && delivery.attempts_made === 2 ? true : undefined;
    });
    say('✓ the delivery is listed as delivered at its second attempt');
    assert.equal(receiver.received.length, 2, 'the receiver must get no other request');
    assert.equal((await call('DELETE', `/api/public/v1/webhooks/${webhook.body.id}`, key)).status, 204);
    await deliverToEachProfile(call, key, eventually);
    say('✓ one event of each profile arrives');
    const refused = await call('DELETE', `/api/public/v1/accounts/${account.body.id}`, operatorKey);
    assert.equal(refused.status, 409, JSON.stringify(refused.body));
    assert.match(String(refused.body.detail), /still has .*tasks \(live\)/);
    assert.equal((await call('GET', '/api/public/v1/keys', key)).status, 200, 'its key must still work');
    say('✓ an account with a task cannot be deleted');
  } finally {
    await receiver.stop();
  }
};

/** Deploys a release over a deployment under load, and checks that every event arrives. */
const deployOver = async (
  before: Deployment,
  waiting: number,
  deployNext: () => Promise<Deployment>,
): Promise<Deployment> => {
  const load = await Load.start(before);
  try {
    await load.fill(before, waiting);
    const after = await load.during(before, deployNext());
    await load.settle(after);
    return after;
  } finally {
    await load.stop();
  }
};

const passTheGate = async (folder: string, emulator: Emulator): Promise<void> => {
  const former = checkOutFormerRelease(folder);
  await bootstrap(emulator, root, folder);
  const before = await deploy(emulator, former, folder);
  await shortenVisibilityTimeouts(emulator);
  say(`✓ release ${formerRelease.version} is deployed`);
  const formerAccounts = await smokeFormerRelease(before);

  const now = await deployOver(before, 20, () => deploy(emulator, root, folder));
  say('✓ this release is deployed over it: no event is lost, and every retry remains');
  await tryTheApi(now);
  await smokeThisRelease(now, emulator, formerAccounts);
  await operate(emulator);
  say('✓ an operator rotates the keyring, pauses deliveries and resumes them');
  const output = await deployByCommand(emulator, root, folder);
  assert.match(output, /no changes/, `a second deployment must change nothing:\n${output.slice(-2000)}`);
  say('✓ a second deployment changes nothing');

  await deployEverySetting(emulator, now, (settings) => deploy(emulator, root, folder, settings), tryTheApi);
  // The deployments above reset the queues' visibility timeouts.
  await shortenVisibilityTimeouts(emulator);
  say('✓ the API works with every setting changed, nobody can bypass CloudFront, and the settings can be changed back');

  await deployOver(now, 5, () => deploy(emulator, former, folder));
  say(`✓ release ${formerRelease.version} is deployed over this one: no event is lost, and every retry remains`);
};

const main = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'passpost-gate-'));
  let keepsFolder = false;
  process.once('exit', () => {
    if (!keepsFolder) rmSync(folder, { recursive: true, force: true });
  });
  let emulator: Emulator | undefined;
  try {
    emulator = await startEmulator(folder);
    await passTheGate(folder, emulator);
  } catch (error) {
    console.error(`✗ ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
    if (emulator) {
      console.error(`Log of the emulator: ${join(folder, 'emulator.log')}`);
      keepsFolder = true;
    }
  } finally {
    await emulator?.stop();
  }
};

await main();
