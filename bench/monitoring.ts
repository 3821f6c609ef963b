import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Bench, startBench } from './bench-stack.ts';
import { type Figures, round } from './figures.ts';
import { publishScenario, steadyScenario } from './scenarios.ts';
import { signerOverhead } from './signer-overhead.ts';

/** CPU of writing a run's log, whole and without what monitoring adds to it; in one process, in turns. */
const writingCpu = async (lines: readonly string[]): Promise<{ wholeMicros: number; withoutMicros: number }> => {
  const child = fork(new URL('./monitoring-process.ts', import.meta.url), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.send(lines);
  const [answer] = (await once(child, 'message')) as [{ wholeMicros: number; withoutMicros: number }];
  child.disconnect();
  return answer;
};

const measured = async (
  deliveries: number,
  batch: number,
  scenario: (bench: Bench) => Promise<Figures>,
): Promise<Figures> => {
  let lines: string[] = [];
  const bench = await startBench((line) => lines.push(line));
  let figures: Figures;
  try {
    await publishScenario(bench, { events: 200, webhooks: 1 });
    lines = [];
    figures = await scenario(bench);
  } finally {
    await bench.stop();
  }
  const { wholeMicros, withoutMicros } = await writingCpu(lines);
  const monitoringMicros = (wholeMicros - withoutMicros) / deliveries;
  const { deliver_cpu_us: deliverMicros } = await signerOverhead(batch);
  return {
    dollars_per_million: figures.dollars_per_million ?? Number.NaN,
    log_bytes_per_delivery: figures.log_bytes_per_delivery ?? {},
    log_percent_of_dollars: figures.log_percent_of_dollars ?? {},
    monitoring_cpu_us: round(monitoringMicros),
    deliver_cpu_us: deliverMicros ?? Number.NaN,
    monitoring_percent_of_cpu: round((100 * monitoringMicros) / Number(deliverMicros)),
  };
};

/**
 * What metrics and ids take of a delivery: bytes in the log of a real run as dollars, and the CPU that all functions need
 * to write them against that of the deliver function alone.
 */
export const monitoringShares = async (events: number): Promise<[string, Figures][]> => [
  [
    `monitoring, ${events} events × 1, batches full`,
    await measured(events, 10, (bench) => publishScenario(bench, { events, webhooks: 1, isGathered: true })),
  ],
  [
    'monitoring, single events, 20 a second',
    await measured(200, 1, (bench) => steadyScenario(bench, { count: 200, perSecond: 20, kind: 'event' })),
  ],
];
