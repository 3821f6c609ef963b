import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { synthesiseIfStale } from '../../local/cli/synth.ts';
import { type LocalStack, startStack } from '../../local/stack.ts';
import { createFaults, type Faults } from '../helpers/faults.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../helpers/webhook-receiver.ts';
import { emptyQueues, flood, killFunctions, poison, rotate, type Tally, throttleTables } from './disturbances.ts';
import { type Account, createAccount, createRandom, type ListedDelivery, type Random, type Webhook } from './scene.ts';

// Publishes events to five webhooks and moves tasks while everything fails at the same time: functions are killed, queues
// emptied, tables throttled, a record is poisoned, keys rotate, two recoveries run, one account publishes above its
// ceiling, and calls without a key flood the API. Then checks that nothing is lost, that nothing is sent after a deletion,
// and that a quiet account hardly notices.
// `--seed n` chooses the random numbers, `--runs n` repeats the run with the following seeds.

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    events: { type: 'string', default: '2000' },
  },
});

/** At this speed an hour of the statistics takes 12 s, and retries of minutes take a fraction of a second. */
const SPEED = 300;
const TASKS = 50;
/**
 * Events that the main account publishes at once, and the pause after them: with six webhooks and the retries some 200
 * attempts a second, which two processors carry beside the noise and the flood.
 */
const PUBLISHED = { atOnce: 20, everyMs: 700 };
/** Attempts a minute that the operator allows the noisy account. */
const NOISY_LIMIT = 300;
const NOISY_EVENTS = 600;
/** Milliseconds within which everything must be settled after the disturbances end. */
const SETTLED_WITHIN_MS = 150_000;
/** Milliseconds after a deletion in which a request that was under way may still arrive. */
const UNDER_WAY_MS = 2000;

interface Scene {
  readonly stack: LocalStack;
  readonly faults: Faults;
  readonly receiver: WebhookReceiver;
  readonly random: Random;
  readonly tally: Tally;
}

/**
 * Moves tasks through their life. Returns the number of events that webhooks with `*` must get: one for each move, because
 * `*` of the profile passpost does not include task.created.
 */
const moveTasks = async (account: Account): Promise<number> => {
  const place = { city: 'Oslo', address: 'Karl Johans gate 31' };
  for (let n = 0; n < TASKS; n++) {
    const { id } = await account.call('POST', '/tasks', { item: `Pass ${n}`, pickup: place, dropoff: place });
    for (const move of ['accept', 'pick-up', 'deliver', 'complete']) await account.call('POST', `/tasks/${id}/${move}`);
  }
  return 4 * TASKS;
};

/** Publishes one event after the other, and returns the delays of the first attempts in milliseconds. */
const watchQuietAccount = (account: Account, webhook: Webhook) => {
  const publishedAtMs = new Map<string, number>();
  let isOver = false;
  const publishing = (async () => {
    while (!isOver) {
      const [id = ''] = await account.publish(1);
      publishedAtMs.set(id, Date.now());
      await sleep(200);
    }
  })();
  return async (): Promise<number[]> => {
    isOver = true;
    await publishing;
    await sleep(3000);
    return [...publishedAtMs].map(([id, atMs]) => {
      const first = webhook.posts.find(({ eventId }) => eventId === id);
      return first ? Math.max(0, first.atMs - atMs) : Number.POSITIVE_INFINITY;
    });
  };
};

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;

const isSettled = ({ status }: ListedDelivery): boolean => status === 'delivered';

/** Waits until every event has a delivered delivery to the webhook. Returns what is missing or unfinished. */
const untilDelivered = async (account: Account, webhook: Webhook, events: number, endMs: number): Promise<string[]> => {
  for (;;) {
    const all = await account.deliveries(webhook);
    const open = all.filter((delivery) => !isSettled(delivery));
    if (all.length === events && open.length === 0) return [];
    if (Date.now() > endMs) {
      const statuses = [...Map.groupBy(open, ({ status }) => status)].map(([status, of]) => `${of.length} ${status}`);
      return [`${all.length} of ${events} deliveries, not delivered: ${statuses.join(', ') || 'none'}`];
    }
    await sleep(1000);
  }
};

/** Milliseconds in which only load, noise and flood disturb the quiet account. */
const LOAD_MS = 12_000;

/**
 * Disturbs everything until the publishing ends. Returns the delays of the quiet account's first attempts under load,
 * noise and flood, before functions are killed and queues emptied: a message that is lost comes back seconds later.
 */
const disturb = async (
  { stack, faults, random, tally }: Scene,
  load: {
    readonly main: Account;
    readonly good: Webhook;
    readonly delaysOfQuiet: () => Promise<number[]>;
    readonly isPublishing: () => boolean;
  },
): Promise<number[]> => {
  const endFlood = flood(stack, tally);
  await sleep(LOAD_MS);
  const delays = await load.delaysOfQuiet();
  const endKills = killFunctions(faults, random, tally);
  await poison(stack, tally);
  for (let round = 0; load.isPublishing() || round < 6; round++) {
    await sleep(1000 + 2000 * random());
    if (round === 1) await rotate(stack, load.main, load.good, tally);
    await (random() < 0.5 ? throttleTables(faults, 300 + 500 * random(), tally) : emptyQueues(stack, tally));
  }
  endFlood();
  endKills();
  return delays;
};

/** Milliseconds in which the deliver function learns the speed of every webhook of the main account. */
const PROBING_MS = 4000;
/** Number of events with which every function gets warm before the run, so that the delays contain no cold start. */
const WARM_UP_EVENTS = 200;

/** Runs the chaos once. Returns what went wrong; empty = nothing. */
const runOnce = async (scene: Scene, events: number): Promise<string[]> => {
  const { stack, receiver, random, tally } = scene;
  const warm = await createAccount(stack, receiver, { name: 'Warm-up' });
  await warm.addWebhook(() => 200);
  await warm.publish(WARM_UP_EVENTS);
  await stack.settled();
  const main = await createAccount(stack, receiver, { name: 'Main' });
  const quiet = await createAccount(stack, receiver, { name: 'Quiet' });
  const noisy = await createAccount(stack, receiver, { name: 'Noisy', deliveries_per_minute: NOISY_LIMIT });
  let isFailing = true;
  const schedule = Array(20).fill(60);
  const answerSlowly = async (): Promise<number> => {
    await sleep(500 + 1000 * random());
    return 200;
  };
  const webhooks = {
    good: await main.addWebhook(() => 200, { events: ['*'] }),
    flapping: await main.addWebhook(() => (random() < 0.4 ? 500 : 200), { events: ['*'], schedule }),
    failing: await main.addWebhook(() => (isFailing ? 500 : 200), { events: ['*'], schedule: [60] }),
    tarpit: await main.addWebhook(answerSlowly, { events: ['*'], schedule }),
    disabled: await main.addWebhook(() => 200, { events: ['*'], enabled: false }),
  };
  const deleted = await main.addWebhook(() => 200, { events: ['*'] });
  const quietHook = await quiet.addWebhook(() => 200);
  const noisyHook = await noisy.addWebhook(() => 200);
  // Shows which webhook is slow before the measurement, because webhooks of unknown speed share the first invocations.
  await main.publish(PUBLISHED.atOnce);
  await sleep(PROBING_MS);
  const delaysOfQuiet = watchQuietAccount(quiet, quietHook);

  let isPublishing = true;
  let deletedAtMs = 0;
  const disturbing = disturb(scene, { main, good: webhooks.good, delaysOfQuiet, isPublishing: () => isPublishing });
  const noise = noisy.publish(NOISY_EVENTS);
  const tasks = moveTasks(main);
  for (let left = events - PUBLISHED.atOnce; left > 0; left -= PUBLISHED.atOnce) {
    await main.publish(Math.min(left, PUBLISHED.atOnce));
    await sleep(PUBLISHED.everyMs);
    if (deletedAtMs === 0 && left <= events / 2) {
      await main.call('DELETE', `/webhooks/${deleted.id}`);
      deletedAtMs = Date.now();
    }
  }
  const expected = events + (await tasks);
  await noise;
  isPublishing = false;
  const delays = await disturbing;
  isFailing = false;
  await main.call('PATCH', `/webhooks/${webhooks.disabled.id}`, { enabled: true });
  const endMs = Date.now() + SETTLED_WITHIN_MS;
  const failures: string[] = [];
  const recover = async (): Promise<void> => {
    const window = { since: '2020-01-01T00:00:00Z', until: new Date().toISOString() };
    // Two people recover the same webhook at the same time.
    await Promise.all([1, 2].map(() => main.call('POST', `/webhooks/${webhooks.failing.id}/recover`, window)));
  };
  await sleep(15_000);
  await recover();
  for (const [name, webhook] of Object.entries(webhooks)) {
    const missing = await untilDelivered(main, webhook, expected, endMs);
    failures.push(...missing.map((text) => `${name}: ${text}`));
  }
  const late = deleted.posts.filter(({ atMs }) => atMs > deletedAtMs + UNDER_WAY_MS);
  if (late.length > 0) failures.push(`deleted: ${late.length} requests after the deletion`);
  const p99 = percentile(delays, 0.99);
  console.log(`  quiet account: ${delays.length} events, p50 ${percentile(delays, 0.5)} ms, p99 ${p99} ms`);
  if (!(p99 < 1000)) failures.push(`quiet account: p99 of the first attempts is ${p99} ms`);
  const perMinute = Map.groupBy(noisyHook.posts, ({ atMs }) => Math.floor(atMs / 60_000));
  const most = Math.max(0, ...[...perMinute.values()].map((posts) => posts.length));
  console.log(`  noisy account: ${noisyHook.posts.length} of ${NOISY_EVENTS} requests, at most ${most} in a minute`);
  if (most > 1.5 * NOISY_LIMIT) failures.push(`noisy account: ${most} requests in a minute`);
  const aside = stack.depth('failures').visible;
  if (aside !== (tally.get('poisoned records') ?? 0)) failures.push(`failures queue: ${aside} messages`);
  const dead = stack.depth('dead-letters').visible;
  if (dead > 0) failures.push(`dead-letter queue: ${dead} messages`);
  return failures;
};

const assembly = await synthesiseIfStale();
const [firstSeed, runs, events] = [Number(options.seed), Number(options.runs), Number(options.events)];
for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
  const startMs = Date.now();
  const faults = createFaults();
  const receiver = await startWebhookReceiver();
  const stack = await startStack({
    assembly,
    speed: SPEED,
    interceptor: faults.interceptor,
    visibilityTimeoutSeconds: 2,
    warm: true,
  });
  const tally: Tally = new Map();
  try {
    console.log(`seed ${seed}: ${events} events × 5 webhooks, ${TASKS} tasks`);
    const failures = await runOnce({ stack, faults, receiver, random: createRandom(seed), tally }, events);
    console.log(`  ${[...tally].map(([name, number]) => `${number} ${name}`).join(', ')}`);
    for (const failure of failures) console.log(`  FAILED ${failure}`);
    console.log(
      `  ${failures.length === 0 ? 'nothing lost' : 'failed'} after ${Math.round((Date.now() - startMs) / 1000)} s`,
    );
    if (failures.length > 0) process.exitCode = 1;
  } finally {
    faults.clear();
    receiver.stop();
    await stack.stop();
  }
}
