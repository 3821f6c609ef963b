import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { taskContentExample as task } from '../../lambdas/domain/events/event-samples.ts';
import { verifyPasspost } from '../helpers/receivers/passpost.ts';
import {
  bootstrap,
  bringKilledBackSoon,
  type Deployment,
  deploy,
  deployByCommand,
  eventually,
  say,
} from './deployment.ts';
import { deliverToEachProfile } from './each-profile.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { deployEverySetting } from './every-setting.ts';
import { checkOutFormerRelease, formerRelease } from './former-release.ts';
import { operate } from './operate.ts';
import { startRefusingReceiver } from './refusing-receiver.ts';
import { smokeTheFormer, trySmoke } from './try-smoke.ts';
import { Load } from './upgrade.ts';

// A real `cdk deploy` of the whole stack into an emulator of AWS: over the former release, under load and with retries
// waiting; a task over HTTP ends as a verified delivery, a refusal is tried again; a smoke test leaves nothing behind;
// deploying the same code once more changes nothing; every setting can be changed; and the former release can be
// deployed over it again.

const root = fileURLToPath(new URL('../..', import.meta.url));

const tryTheApi = async ({ call, operatorKey, outputs }: Deployment): Promise<void> => {
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
    const refused = await call('DELETE', `/api/public/v1/accounts/${account.body.id}`, operatorKey);
    assert.equal(refused.status, 409, JSON.stringify(refused.body));
    assert.match(String(refused.body.detail), /still has .*tasks \(live\)/);
    assert.equal((await call('GET', '/api/public/v1/keys', key)).status, 200, 'its key works on');
    say('✓ an account with a task is not deleted');
  } finally {
    await receiver.stop();
  }
};

/** Deploys one release over another that is at work, and counts what becomes of all it owed. */
const deployOver = async (there: Deployment, waiting: number, next: () => Promise<Deployment>): Promise<Deployment> => {
  const load = await Load.start(there);
  try {
    await load.fill(there, waiting);
    const now = await load.during(there, next());
    await load.settle(now);
    return now;
  } finally {
    await load.stop();
  }
};

const passTheGate = async (folder: string, emulator: Emulator): Promise<void> => {
  const former = checkOutFormerRelease(folder);
  await bootstrap(emulator, root, folder);
  const before = await deploy(emulator, former, folder);
  await bringKilledBackSoon(emulator);
  say(`✓ release ${formerRelease.version} is deployed`);
  const formerAccounts = await smokeTheFormer(before);

  const now = await deployOver(before, 20, () => deploy(emulator, root, folder));
  say('✓ this release is deployed over it: nothing lost, every retry kept');
  await tryTheApi(now);
  await trySmoke(now, emulator, formerAccounts);
  await operate(emulator);
  say('✓ an operator rotates the keyring, pauses deliveries and lets them go on');
  const said = await deployByCommand(emulator, root, folder);
  assert.match(said, /no changes/, `the second deploy changes nothing:\n${said.slice(-2000)}`);
  say('✓ the second deploy changes nothing');

  await deployEverySetting(emulator, now, (settings) => deploy(emulator, root, folder, settings), tryTheApi);
  // The queues' settings were among what changed.
  await bringKilledBackSoon(emulator);
  say('✓ the same with every setting changed: with a web ACL nothing leads round CloudFront; and back');

  await deployOver(now, 5, () => deploy(emulator, former, folder));
  say(`✓ release ${formerRelease.version} is deployed over this one: nothing lost, every retry kept`);
};

const main = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'passpost-gate-'));
  let retainsData = false;
  process.once('exit', () => {
    if (!retainsData) rmSync(folder, { recursive: true, force: true });
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
      retainsData = true;
    }
  } finally {
    await emulator?.stop();
  }
};

await main();
