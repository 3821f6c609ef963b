import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Bench, startBench } from './bench-stack.ts';
import { profileThreads } from './cpu-profiles.ts';
import { type Figures, percentile, round } from './figures.ts';
import type { PublishJob } from './publisher.ts';
import { millisecondsByPackage } from './source-packages.ts';
import { type CpuSeconds, cpuByThread, memoryMib } from './thread-cpu.ts';

/** A load of events that one webhook receives. */
export type Load = Pick<PublishJob, 'count' | 'clients' | 'perCall'>;

const WARM_UP = 400;
const event = { type: 'order.paid', data: { booking: 'RES-2026-00042', note: 'x'.repeat(400) } };

/** Publishes a load and waits until all its events have arrived. Returns the rate, and the durations of the calls in ms. */
const publish = async (bench: Bench, load: Load): Promise<{ callMs: number[]; perSecond: number }> => {
  const publisher = fork(new URL('./publisher.ts', import.meta.url));
  const startMs = Date.now();
  const job: PublishJob = { url: bench.stack.url, key: bench.key, event, ...load };
  publisher.send(job);
  const [callMs] = (await once(publisher, 'message')) as [number[]];
  const received = await bench.receive(load.count);
  publisher.disconnect();
  const seconds = (Math.max(...received.map(({ atMs }) => atMs)) - startMs) / 1000;
  await bench.stack.settled(60_000);
  return { callMs, perSecond: load.count / seconds };
};

/** Starts a stack with an own event type and one webhook, lets it warm up, and runs a measurement on it. */
const onWarmStack = async (load: Load, measure: (bench: Bench) => Promise<Figures>): Promise<Figures> => {
  const bench = await startBench({ isMetered: false });
  try {
    await bench.api('PUT', `/event-types/${event.type}`, { description: 'An order is paid.' });
    await bench.addWebhook('/quick', [event.type]);
    await publish(bench, { ...load, count: WARM_UP });
    return await measure(bench);
  } finally {
    await bench.stop();
  }
};

const difference = (before: CpuSeconds, after: CpuSeconds): CpuSeconds =>
  Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));

/** Returns the values divided by `count`, the greatest first, without those below 0.01. */
const perEvent = (values: Readonly<Record<string, number>>, count: number): Record<string, number> =>
  Object.fromEntries(
    Object.entries(values)
      .map(([name, value]) => [name, round(value / count)] as const)
      .filter(([, value]) => value >= 0.01)
      .toSorted(([, a], [, b]) => b - a),
  );

const runLoad = async (bench: Bench, load: Load): Promise<Figures> => {
  const before = cpuByThread(bench.stack.functionNames);
  const { callMs, perSecond } = await publish(bench, load);
  const seconds = difference(before, cpuByThread(bench.stack.functionNames));
  const cpuMs = Object.fromEntries(Object.entries(seconds).map(([name, each]) => [name, each * 1000]));
  return {
    deliveries_per_second: round(perSecond),
    publish_call_p50_ms: round(percentile(callMs, 0.5)),
    publish_call_p99_ms: round(percentile(callMs, 0.99)),
    cpu_ms_per_event: round(Object.values(cpuMs).reduce((sum, each) => sum + each, 0) / load.count),
    cpu_ms_per_event_by_thread: perEvent(cpuMs, load.count),
    memory_mib: round(memoryMib()),
  };
};

/** Measures the rate, the duration of a call, the CPU time of the stack by thread, and its memory under a load. */
export const measureLoad = (load: Load): Promise<Figures> => onWarmStack(load, (bench) => runLoad(bench, load));

/**
 * Measures a load as `measureLoad` does, then the same load again with a profiler, which shows the time inside the function
 * threads by package. A profiled thread uses more CPU, so only the shares of the packages can be compared.
 */
export const profileLoad = (load: Load): Promise<Figures> =>
  onWarmStack(load, async (bench) => {
    const figures = await runLoad(bench, load);
    const stopProfiles = await profileThreads();
    await publish(bench, load);
    const profiles = await stopProfiles();
    const ofFunctions = profiles.filter(({ functionName }) => bench.stack.functionNames.includes(functionName));
    const packages = millisecondsByPackage(ofFunctions);
    const total = Object.values(packages).reduce((sum, each) => sum + each, 0);
    return { ...figures, percent_of_function_threads_by_package: perEvent(packages, total / 100) };
  });
