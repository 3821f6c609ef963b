import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { metricNamespace, metrics } from '../../lambdas/runtime/metric-names.ts';
import { publishMetrics } from '../../lambdas/runtime/metrics.ts';

let written: string[] = [];

beforeEach(() => {
  written = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
});
afterEach(() => vi.restoreAllMocks());

test('writes one line of what there was', async () => {
  await publishMetrics({ held: 2, paced: 0, throttles: undefined, oldestOwedSeconds: 30 });

  const lines = written.map((line) => JSON.parse(line));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ Held: 2, OldestOwed: 30 });
  expect(lines[0]._aws.CloudWatchMetrics).toEqual([
    {
      Namespace: metricNamespace,
      Dimensions: [['service']],
      Metrics: [
        { Name: 'Held', Unit: 'Count' },
        { Name: 'OldestOwed', Unit: 'Seconds' },
      ],
    },
  ]);
});

test('writes nothing where nothing was measured', async () => {
  await publishMetrics({ rateLimited: 0, throttles: undefined });

  expect(written).toEqual([]);
});

test('starts every line afresh', async () => {
  await publishMetrics({ failed: 1 });
  await publishMetrics({ held: 1 });

  const [, second] = written.map((line) => JSON.parse(line));
  expect(second).not.toHaveProperty('Failed');
});

test('costs the numbers alone when it fails', async () => {
  await publishMetrics({ failed: 1, unheardOf: 1 } as never);
  await publishMetrics({ failed: 3 });

  const [lost, next] = written.map((line) => JSON.parse(line));
  expect(lost).toMatchObject({ level: 'warn', name: 'metrics.lost' });
  expect(next.Failed).toBe(3);
});

test('names every metric once', () => {
  const names = Object.values(metrics).map(([name]) => name);

  expect(new Set(names).size).toBe(names.length);
});
