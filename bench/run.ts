import { synthesiseIfStale } from '../local/cli/synth.ts';
import { type Bench, startBench } from './bench-stack.ts';
import { dueBacklog } from './due-backlog.ts';
import type { Figures } from './figures.ts';
import { monitoringShares } from './monitoring.ts';
import { type BenchOptions, type Part, parseOptions, usage } from './options.ts';
import { measureLoad, profileLoad } from './publish-load.ts';
import { recoveryBacklog } from './recovery-backlog.ts';
import { fullBatchesScenario, isolationScenario, publishScenario, steadyScenario } from './scenarios.ts';
import { signerOverhead } from './signer-overhead.ts';
import { startUpRatios } from './start-up.ts';

type Named = readonly [name: string, run: () => Promise<Figures>];

const print = (name: string, figures: Figures): void => {
  console.log(`\n${name}`);
  for (const [figure, value] of Object.entries(figures)) {
    console.log(`  ${figure.padEnd(36)} ${typeof value === 'number' ? value : JSON.stringify(value)}`);
  }
};

const onOneStack = async (scenarios: (bench: Bench) => Named[]): Promise<[string, Figures][]> => {
  const bench = await startBench();
  const results: [string, Figures][] = [];
  try {
    // The first scenario is not measured, because the code is compiled in it.
    await publishScenario(bench, { events: 500, webhooks: 1 });
    for (const [name, run] of scenarios(bench)) results.push([name, await run()]);
  } finally {
    await bench.stop();
  }
  return results;
};

const mainScenarios = ({ events, webhooks }: BenchOptions) =>
  onOneStack((bench) => [
    [`${events} events × ${webhooks}, a hundred a call`, () => publishScenario(bench, { events, webhooks })],
    [
      `${Math.ceil(events / 10)} events × 10`,
      () => publishScenario(bench, { events: Math.ceil(events / 10), webhooks: 10 }),
    ],
    ['single tasks, batches full', () => fullBatchesScenario(bench, { count: Math.ceil(events / 3), kind: 'task' })],
    ['single events, batches full', () => fullBatchesScenario(bench, { count: Math.ceil(events / 3), kind: 'event' })],
    ['single tasks, 20 a second', () => steadyScenario(bench, { count: 200, perSecond: 20, kind: 'task' })],
    ['single events, 20 a second', () => steadyScenario(bench, { count: 200, perSecond: 20, kind: 'event' })],
    [
      `${events} events, a receiver that takes 100 ms`,
      () => publishScenario(bench, { events, webhooks: 1, path: '/slow' }),
    ],
  ]);

/**
 * Runs a benchmark scenario once for each of the given values (for example numbers of events), each time on a new
 * stack, because data of an earlier run would change the figures.
 */
const onSeparateStacks = async <T>(
  values: readonly T[],
  scenario: (bench: Bench, value: T) => Named,
): Promise<[string, Figures][]> => {
  const results: [string, Figures][] = [];
  for (const value of values) results.push(...(await onOneStack((bench) => [scenario(bench, value)])));
  return results;
};

const runs: Record<Part, (options: BenchOptions) => Promise<[string, Figures][]>> = {
  main: mainScenarios,
  growth: () =>
    onSeparateStacks([1000, 50_000], (bench, events) => [
      `${events} events × 1, batches full`,
      () => publishScenario(bench, { events, webhooks: 1, hasFullBatches: true }),
    ]),
  isolation: () =>
    onSeparateStacks([300, 1000, 10_000], (bench, stalled) => [
      `${stalled} stalled beside 20 a second`,
      () => isolationScenario(bench, { stalled }),
    ]),
  monitoring: ({ events }) => monitoringShares(events),
  signer: async () => [['signer overhead', await signerOverhead()]],
  due: async () => [['due', await dueBacklog()]],
  recovery: async () => [['recovery', await recoveryBacklog()]],
  singles: async ({ events }) => [
    ['single events, 1 publisher', await measureLoad({ count: Math.ceil(events / 3), clients: 1, perCall: 1 })],
    ['single events, 20 publishers', await measureLoad({ count: events, clients: 20, perCall: 1 })],
    ['a hundred events a call, 4 publishers', await measureLoad({ count: events, clients: 4, perCall: 100 })],
  ],
  profile: async ({ events }) => [
    ['single events, 1 publisher', await profileLoad({ count: Math.ceil(events / 3), clients: 1, perCall: 1 })],
    ['single events, 20 publishers', await profileLoad({ count: events, clients: 20, perCall: 1 })],
  ],
  'start-up': async () => [['start-up', await startUpRatios()]],
};

try {
  const options = parseOptions(process.argv.slice(2));
  await synthesiseIfStale();
  const results: [string, Figures][] = [];
  for (const part of options.parts) results.push(...(await runs[part](options)));
  if (options.isJson) console.log(JSON.stringify(Object.fromEntries(results), null, 2));
  else for (const [name, figures] of results) print(name, figures);
} catch (error) {
  console.error(error instanceof Error ? error.message : error, `\n\n${usage}`);
  process.exitCode = 1;
}
