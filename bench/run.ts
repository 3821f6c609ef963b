import { synthesiseIfStale } from '../local/synth.ts';
import { startBench } from './bench-stack.ts';
import type { Figures } from './figures.ts';
import { type BenchOptions, parseOptions, usage } from './options.ts';
import { isolationScenario, publishScenario, steadyScenario, taskScenario } from './scenarios.ts';
import { signerOverhead } from './signer-overhead.ts';
import { startUpRatios } from './start-up.ts';

type Named = readonly [name: string, run: () => Promise<Figures>];

const print = (name: string, figures: Figures): void => {
  console.log(`\n${name}`);
  for (const [figure, value] of Object.entries(figures)) {
    console.log(`  ${figure.padEnd(36)} ${typeof value === 'number' ? value : JSON.stringify(value)}`);
  }
};

const onOneStack = async (scenarios: (bench: Awaited<ReturnType<typeof startBench>>) => Named[]) => {
  const bench = await startBench();
  const results: [string, Figures][] = [];
  try {
    // What runs for the first time is compiled on the way; that is nobody's figure.
    await publishScenario(bench, { events: 500, webhooks: 1 });
    for (const [name, run] of scenarios(bench)) results.push([name, await run()]);
  } finally {
    await bench.stop();
  }
  return results;
};

const measure = async (options: BenchOptions): Promise<[string, Figures][]> => {
  const { events, webhooks } = options;
  const results = await onOneStack((bench) => [
    [`${events} events × ${webhooks}, a hundred a call`, () => publishScenario(bench, { events, webhooks })],
    [
      `${Math.ceil(events / 10)} events × 10`,
      () => publishScenario(bench, { events: Math.ceil(events / 10), webhooks: 10 }),
    ],
    [`${Math.ceil(events / 3)} single tasks at once`, () => taskScenario(bench, { tasks: Math.ceil(events / 3) })],
    ['single tasks, 20 a second', () => steadyScenario(bench, { count: 200, perSecond: 20, kind: 'task' })],
    ['single events, 20 a second', () => steadyScenario(bench, { count: 200, perSecond: 20, kind: 'event' })],
    ['single tasks, 2 a second', () => steadyScenario(bench, { count: 20, perSecond: 2, kind: 'task' })],
    [
      `${events} events, a receiver that takes 100 ms`,
      () => publishScenario(bench, { events, webhooks: 1, path: '/slow' }),
    ],
  ]);
  if (options.isGrowth) {
    for (const count of [1000, 50_000]) {
      results.push(
        ...(await onOneStack((bench) => [
          [`${count} events × 1`, () => publishScenario(bench, { events: count, webhooks: 1 })],
        ])),
      );
    }
  }
  for (const stalled of options.isIsolation ? [300, 1000, 10_000] : []) {
    results.push(
      ...(await onOneStack((bench) => [
        [`${stalled} stalled beside 20 a second`, () => isolationScenario(bench, { stalled })],
      ])),
    );
  }
  results.push(['signer overhead', await signerOverhead()], ['start-up', await startUpRatios()]);
  return results;
};

try {
  const options = parseOptions(process.argv.slice(2));
  await synthesiseIfStale();
  const results = await measure(options);
  if (options.isJson) console.log(JSON.stringify(Object.fromEntries(results), null, 2));
  else for (const [name, figures] of results) print(name, figures);
} catch (error) {
  console.error(error instanceof Error ? error.message : error, `\n\n${usage}`);
  process.exitCode = 1;
}
