import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Bench, startBench } from './bench-stack.ts';
import { profileThreads } from './cpu-profiles.ts';
import { type Figures, percentile, round } from './figures.ts';
import type { PublishJob } from './publisher.ts';
import { millisecondsByPackage } from './source-packages.ts';
import { type CpuSeconds, cpuByThread } from './thread-cpu.ts';

const WARM_UP = 400;
const event = { type: 'task.accepted', data: { booking: 'RES-2026-00042', note: 'x'.repeat(400) } };

/** Publishes single events and waits until all have arrived. Returns the rate, and the durations of the calls in ms. */
const publishSingles = async (bench: Bench, count: number, clients: number) => {
  const publisher = fork(new URL('./publisher.ts', import.meta.url));
  const startMs = Date.now();
  const job: PublishJob = { url: bench.stack.url, key: bench.key, count, clients, event };
  publisher.send(job);
  const [callMs] = (await once(publisher, 'message')) as [number[]];
  const received = await bench.receive(count);
  publisher.disconnect();
  const seconds = (Math.max(...received.map(({ atMs }) => atMs)) - startMs) / 1000;
  await bench.stack.settled(60_000);
  return { callMs, perSecond: count / seconds };
};

const difference = (before: CpuSeconds, after: CpuSeconds): CpuSeconds =>
  Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));

/** Returns the values of a record that are not 0 after rounding, the greatest first. */
const greatestFirst = (values: Record<string, number>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(values)
      .map(([name, value]) => [name, round(value)] as const)
      .filter(([, value]) => value >= 0.01)
      .toSorted(([, a], [, b]) => b - a),
  );

/**
 * Measures the CPU time of a single event by thread, then by package inside the function threads. The two come from two
 * runs, because a profiled thread uses more CPU.
 */
export const profileSingles = async (count: number, clients: number): Promise<Figures> => {
  const bench = await startBench({ isMetered: false });
  try {
    await bench.addWebhook('/quick', [event.type]);
    await publishSingles(bench, WARM_UP, clients);
    const before = cpuByThread(bench.stack.functionNames);
    const { callMs, perSecond } = await publishSingles(bench, count, clients);
    const cpu = difference(before, cpuByThread(bench.stack.functionNames));
    const stopProfiles = await profileThreads();
    await publishSingles(bench, count, clients);
    const profiles = await stopProfiles();
    const packages = millisecondsByPackage(
      profiles.filter(({ functionName }) => bench.stack.functionNames.includes(functionName)),
    );
    const perEvent = (values: Record<string, number>, factor: number) =>
      greatestFirst(
        Object.fromEntries(Object.entries(values).map(([name, value]) => [name, (value * factor) / count])),
      );
    return {
      deliveries_per_second: round(perSecond),
      publish_p50_ms: round(percentile(callMs, 0.5)),
      publish_p99_ms: round(percentile(callMs, 0.99)),
      cpu_ms_per_event: round((Object.values(cpu).reduce((sum, each) => sum + each, 0) * 1000) / count),
      cpu_ms_per_event_by_thread: perEvent(cpu, 1000),
      cpu_ms_per_event_in_functions_by_package: perEvent(packages, 1),
    };
  } finally {
    await bench.stop();
  }
};
