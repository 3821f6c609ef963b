import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Bench, startBench } from './bench-stack.ts';
import { type Figures, round } from './figures.ts';
import { publishScenario, steadyScenario } from './scenarios.ts';
import { signerOverhead } from './signer-overhead.ts';

/**
 * Measures the CPU time of writing a run's log lines with and without monitoring, in microseconds. One process does
 * both alternately.
 */
const writingCpu = async (lines: readonly string[]): Promise<{ wholeMicros: number; withoutMicros: number }> => {
  const child = fork(new URL('./monitoring-process.ts', import.meta.url), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.send(lines);
  const [answer] = (await once(child, 'message')) as [{ wholeMicros: number; withoutMicros: number }];
  child.disconnect();
  return answer;
};

const measureScenario = async (
  deliveries: number,
  batch: number,
  scenario: (bench: Bench) => Promise<Figures>,
): Promise<Figures> => {
  let lines: string[] = [];
  const bench = await startBench({ onLine: (line) => lines.push(line) });
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
 * Measures the share of metrics and ids in the cost of a delivery: their log bytes in a real run as dollars, and the
 * CPU time to write them compared with the CPU time of the deliver function.
 */
export const monitoringShares = async (events: number): Promise<[string, Figures][]> => [
  [
    `monitoring, ${events} events × 1, batches full`,
    await measureScenario(events, 10, (bench) => publishScenario(bench, { events, webhooks: 1, hasFullBatches: true })),
  ],
  [
    'monitoring, single events, 20 a second',
    await measureScenario(200, 1, (bench) => steadyScenario(bench, { count: 200, perSecond: 20, kind: 'event' })),
  ],
];
