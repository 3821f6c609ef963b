import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './bench-stack.ts';
import { type Figures, percentile, round } from './figures.ts';
import { callsOf, dollarsOf, logDollars, totalOf, type Usage } from './meter.ts';

const data = { booking: 'RES-2026-00042', note: 'x'.repeat(400) };
const address = { city: 'Oslo', address: 'Kristian IVs gate 7' };
const task = { item: 'Forgotten passport', pickup: address, dropoff: address };

const deleteWebhooks = async (bench: Bench, ids: readonly string[]): Promise<void> => {
  for (const id of ids) await bench.api('DELETE', `/webhooks/${id}`);
};

/** Returns the results of a run: AWS usage per delivery, and dollars per million deliveries. */
const perDelivery = (usage: Usage, deliveries: number): Figures => {
  const dollars = dollarsOf(usage);
  const { all, metrics, ids } = usage.logBytes;
  const percentOfDollars = (bytes: number): number => round((100 * logDollars(bytes)) / totalOf(dollars));
  const scale = (values: Record<string, number>, factor: number) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value * factor)]));
  return {
    calls_per_delivery: round(callsOf(usage) / deliveries),
    calls_by_function_per_delivery: Object.fromEntries(
      Object.entries(usage.calls)
        .filter(([, calls]) => Object.keys(calls).length > 0)
        .map(([name, calls]) => [name, scale(calls, 1 / deliveries)]),
    ),
    write_units_per_delivery: round(usage.writeUnits / deliveries),
    read_units_per_delivery: round(usage.readUnits / deliveries),
    gb_seconds_per_1000: scale(usage.gbSeconds, 1000 / deliveries),
    dollars_per_million: round((totalOf(dollars) / deliveries) * 1e6),
    dollars_per_million_by_service: scale(dollars, 1e6 / deliveries),
    log_bytes_per_delivery: scale({ all, metrics, ids }, 1 / deliveries),
    log_percent_of_dollars: {
      metrics: percentOfDollars(metrics),
      ids: percentOfDollars(ids),
      both: percentOfDollars(metrics + ids),
    },
  };
};

/**
 * Sends twenty events first, so that the probe of new webhooks is not measured: the probe happens once, not per
 * delivery.
 */
const probeWebhooks = async (bench: Bench, type: string, webhooks: number): Promise<void> => {
  const events = 20;
  await bench.api('POST', '/events', { events: Array.from({ length: events }, () => ({ type, data })) });
  await bench.receive(events * webhooks);
  await bench.stack.settled();
  bench.meter.take();
};

/**
 * Disables the mappings of the stream and of the queue, so that published events collect and every later batch is full.
 */
const disableMappings = async (bench: Bench): Promise<void> => {
  await bench.setMapping('stream', false);
  await bench.setMapping('deliveries', false);
};

/** Enables the stream's mapping, waits until all messages are in the queue, then enables the queue's mapping. */
const enableMappings = async (bench: Bench): Promise<void> => {
  await bench.setMapping('stream', true);
  await bench.stack.settled(600_000);
  await bench.setMapping('deliveries', true);
};

interface PublishOptions {
  readonly events: number;
  readonly webhooks: number;
  readonly path?: string;
  /**
   * Delivers only after all events are published. Every batch is then full, so the counts per delivery are the same for
   * any number of events.
   */
  readonly hasFullBatches?: boolean;
}

/**
 * Publishes events in calls of a hundred to the given number of webhooks, and waits for the last delivery. Returns
 * rates, latencies and usage.
 */
export const publishScenario = async (
  bench: Bench,
  { events, webhooks, path = '/quick', hasFullBatches = false }: PublishOptions,
): Promise<Figures> => {
  const ids: string[] = [];
  for (let i = 0; i < webhooks; i++) ids.push(await bench.addWebhook(`${path}/${i}`, ['task.accepted']));
  await probeWebhooks(bench, 'task.accepted', webhooks);
  const batches = Array.from({ length: Math.ceil(events / 100) }, (_, i) => Math.min(100, events - i * 100));
  if (hasFullBatches) await disableMappings(bench);
  const startMs = Date.now();
  const publishing = (async () => {
    const clients = Array.from({ length: 4 }, async () => {
      for (let size = batches.shift(); size !== undefined; size = batches.shift()) {
        await bench.api('POST', '/events', {
          events: Array.from({ length: size }, () => ({ type: 'task.accepted', data })),
        });
      }
    });
    await Promise.all(clients);
    return Date.now() - startMs;
  })();
  if (hasFullBatches) {
    await publishing;
    await enableMappings(bench);
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
 * Measures single requests from two clients, with deliveries only after all requests. The batches are then full, and
 * deliveries do not take processor time from the API.
 */
export const fullBatchesScenario = async (
  bench: Bench,
  { count, kind }: { count: number; kind: 'task' | 'event' },
): Promise<Figures> => {
  const type = kind === 'task' ? 'task.created' : 'task.accepted';
  const id = await bench.addWebhook('/quick', [type]);
  await probeWebhooks(bench, type, 1);
  await disableMappings(bench);
  const startMs = Date.now();
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      await (kind === 'task' ? bench.api('POST', '/tasks', task) : bench.api('POST', '/events', { type, data }));
    }
  };
  await Promise.all(Array.from({ length: 2 }, client));
  const requestMs = Date.now() - startMs;
  await enableMappings(bench);
  await bench.receive(count);
  await bench.stack.settled();
  const figures = perDelivery(bench.meter.take(), count);
  await deleteWebhooks(bench, [id]);
  return { requests_per_second: round(count / (requestMs / 1000)), ...figures };
};

/** Sends single requests at a steady rate, and measures the cost and the latency of a single delivery. */
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
 * Measures the first attempts of one webhook, alone and while another webhook stalls on many deliveries. The stalled
 * deliveries stay, so nothing else can be measured on this stack afterwards.
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
      const received = await bench.receive(1);
      latencies.push(...received.filter(({ path }) => path === '/quick').map(({ latencyMs }) => latencyMs));
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
