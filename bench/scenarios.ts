import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './bench-stack.ts';
import { type Figures, percentile, round } from './figures.ts';
import { callsOf, dollarsOf, logDollars, totalOf, type Usage } from './meter.ts';

const data = { booking: 'RES-2026-00042', note: 'x'.repeat(400) };
const place = { city: 'Oslo', address: 'Kristian IVs gate 7' };
const task = { item: 'Forgotten passport', pickup: place, dropoff: place };

const deleteWebhooks = async (bench: Bench, ids: readonly string[]): Promise<void> => {
  for (const id of ids) await bench.api('DELETE', `/webhooks/${id}`);
};

/** Figures of a run: use per delivery, and the dollars of a million. */
const perDelivery = (usage: Usage, deliveries: number): Figures => {
  const dollars = dollarsOf(usage);
  const { all, metrics, ids } = usage.logBytes;
  const percentOfDollars = (bytes: number): number => round((100 * logDollars(bytes)) / totalOf(dollars));
  const share = (values: Record<string, number>, by: number) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value * by)]));
  return {
    calls_per_delivery: round(callsOf(usage) / deliveries),
    calls_by_function_per_delivery: Object.fromEntries(
      Object.entries(usage.calls)
        .filter(([, own]) => Object.keys(own).length > 0)
        .map(([name, own]) => [name, share(own, 1 / deliveries)]),
    ),
    write_units_per_delivery: round(usage.writeUnits / deliveries),
    read_units_per_delivery: round(usage.readUnits / deliveries),
    gb_seconds_per_1000: share(usage.gbSeconds, 1000 / deliveries),
    dollars_per_million: round((totalOf(dollars) / deliveries) * 1e6),
    dollars_per_million_by_service: share(dollars, 1e6 / deliveries),
    log_bytes_per_delivery: share({ all, metrics, ids }, 1 / deliveries),
    log_percent_of_dollars: {
      metrics: percentOfDollars(metrics),
      ids: percentOfDollars(ids),
      both: percentOfDollars(metrics + ids),
    },
  };
};

/** What it takes to find out that webhooks are quick is taken once, not per delivery: it is nobody's figure. */
const findOutAbout = async (bench: Bench, type: string, webhooks: number): Promise<void> => {
  const some = 20;
  await bench.api('POST', '/events', { events: Array.from({ length: some }, () => ({ type, data })) });
  await bench.receive(some * webhooks);
  await bench.stack.settled();
  bench.meter.take();
};

/** Lets what is published gather, so that every batch behind it is full. */
const hold = async (bench: Bench): Promise<void> => {
  await bench.setCarrying('stream', false);
  await bench.setCarrying('deliveries', false);
};

/** First into rows and messages, then out. */
const releaseHeld = async (bench: Bench): Promise<void> => {
  await bench.setCarrying('stream', true);
  await bench.stack.settled(600_000);
  await bench.setCarrying('deliveries', true);
};

interface PublishOptions {
  readonly events: number;
  readonly webhooks: number;
  readonly path?: string;
  /** Nothing is delivered until all is published, so that every batch is full: what is counted is the same at any size. */
  readonly isGathered?: boolean;
}

/** Publishes by the hundred to so many webhooks, and waits for the last delivery. */
export const publishScenario = async (
  bench: Bench,
  { events, webhooks, path = '/quick', isGathered = false }: PublishOptions,
): Promise<Figures> => {
  const ids: string[] = [];
  for (let i = 0; i < webhooks; i++) ids.push(await bench.addWebhook(`${path}/${i}`, ['task.accepted']));
  await findOutAbout(bench, 'task.accepted', webhooks);
  const batches = Array.from({ length: Math.ceil(events / 100) }, (_, i) => Math.min(100, events - i * 100));
  if (isGathered) await hold(bench);
  const startMs = Date.now();
  const publishing = (async () => {
    const lanes = Array.from({ length: 4 }, async () => {
      for (let size = batches.shift(); size !== undefined; size = batches.shift()) {
        await bench.api('POST', '/events', {
          events: Array.from({ length: size }, () => ({ type: 'task.accepted', data })),
        });
      }
    });
    await Promise.all(lanes);
    return Date.now() - startMs;
  })();
  if (isGathered) {
    await publishing;
    await releaseHeld(bench);
  }
  const received = await bench.receive(events * webhooks);
  const lastMs = Math.max(...received.map(({ atMs }) => atMs));
  const publishMs = await publishing;
  await bench.stack.settled(60_000);
  const latencies = received.map(({ latencyMs }) => latencyMs);
  const figures = perDelivery(bench.meter.take(), events * webhooks);
  await deleteWebhooks(bench, ids);
  return {
    publishes_per_second: round(events / (publishMs / 1000)),
    deliveries_per_second: round((events * webhooks) / ((lastMs - startMs) / 1000)),
    first_attempt_p50_ms: percentile(latencies, 0.5),
    first_attempt_p99_ms: percentile(latencies, 0.99),
    ...figures,
  };
};

/**
 * Single requests from few clients, carried on when all are there: what each costs behind full batches, with an API that
 * does not wait for a processor.
 */
export const gatheredScenario = async (
  bench: Bench,
  { count, kind }: { count: number; kind: 'task' | 'event' },
): Promise<Figures> => {
  const type = kind === 'task' ? 'task.created' : 'task.accepted';
  const id = await bench.addWebhook('/quick', [type]);
  await findOutAbout(bench, type, 1);
  await hold(bench);
  const startMs = Date.now();
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      await (kind === 'task' ? bench.api('POST', '/tasks', task) : bench.api('POST', '/events', { type, data }));
    }
  };
  await Promise.all(Array.from({ length: 2 }, client));
  const requestMs = Date.now() - startMs;
  await releaseHeld(bench);
  await bench.receive(count);
  await bench.stack.settled();
  const figures = perDelivery(bench.meter.take(), count);
  await deleteWebhooks(bench, [id]);
  return { requests_per_second: round(count / (requestMs / 1000)), ...figures };
};

/** Single requests one after another at a steady rate: what a lone thing costs, and how soon it is told. */
export const steadyScenario = async (
  bench: Bench,
  { count, perSecond, kind }: { count: number; perSecond: number; kind: 'task' | 'event' },
): Promise<Figures> => {
  const type = kind === 'task' ? 'task.created' : 'task.accepted';
  const id = await bench.addWebhook('/quick', [type]);
  await bench.stack.settled();
  bench.meter.take();
  const startMs = Date.now();
  const requests: Promise<unknown>[] = [];
  for (let i = 0; i < count; i++) {
    await sleep(Math.max(0, startMs + (i * 1000) / perSecond - Date.now()));
    requests.push(kind === 'task' ? bench.api('POST', '/tasks', task) : bench.api('POST', '/events', { type, data }));
  }
  await Promise.all(requests);
  const received = await bench.receive(count);
  await bench.stack.settled();
  const latencies = received.map(({ latencyMs }) => latencyMs);
  const figures = perDelivery(bench.meter.take(), count);
  await deleteWebhooks(bench, [id]);
  return {
    first_attempt_p50_ms: percentile(latencies, 0.5),
    first_attempt_p99_ms: percentile(latencies, 0.99),
    ...figures,
  };
};

/**
 * One webhook stalls on many waiting deliveries; how long do another's first attempts take, against their quiet selves?
 * Leaves the stalled ones behind: nothing else can be measured on this stack afterwards.
 */
export const isolationScenario = async (bench: Bench, { stalled }: { stalled: number }): Promise<Figures> => {
  await bench.addWebhook('/quick', ['task.accepted']);
  await bench.addWebhook('/stall', ['pass.updated']);
  const measure = async (count: number): Promise<number[]> => {
    const startMs = Date.now();
    for (let i = 0; i < count; i++) {
      await sleep(Math.max(0, startMs + i * 50 - Date.now()));
      await bench.api('POST', '/events', { type: 'task.accepted', data });
    }
    const latencies: number[] = [];
    while (latencies.length < count) {
      const some = await bench.receive(1);
      latencies.push(...some.filter(({ path }) => path === '/quick').map(({ latencyMs }) => latencyMs));
    }
    return latencies;
  };
  const alone = await measure(100);
  for (let sent = 0; sent < stalled; sent += 100) {
    await bench.api('POST', '/events', {
      events: Array.from({ length: Math.min(100, stalled - sent) }, () => ({ type: 'pass.updated', data })),
    });
  }
  const beside = await measure(300);
  return {
    alone_p99_ms: percentile(alone, 0.99),
    beside_p50_ms: percentile(beside, 0.5),
    beside_p99_ms: percentile(beside, 0.99),
    beside_max_ms: Math.max(...beside),
  };
};
