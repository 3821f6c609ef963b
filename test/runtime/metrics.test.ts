import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { metricNamespace, metrics } from '../../lambdas/runtime/metric-names.ts';
import { publishMetrics } from '../../lambdas/runtime/metrics.ts';

let written: string[] = [];

beforeEach(() => {
  written = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
});
afterEach(() => vi.restoreAllMocks());

test('publishMetrics writes one line with the figures that are neither 0 nor undefined, and their units', async () => {
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

test('publishMetrics writes nothing if every figure is 0 or undefined', async () => {
  await publishMetrics({ rateLimited: 0, throttles: undefined });

  expect(written).toEqual([]);
});

test('publishMetrics does not repeat figures of an earlier call', async () => {
  await publishMetrics({ failed: 1 });
  await publishMetrics({ held: 1 });

  const [, second] = written.map((line) => JSON.parse(line));
  expect(second).not.toHaveProperty('Failed');
});

test('publishMetrics logs metrics.lost for an unknown figure instead of throwing, and the next call writes its figure', async () => {
  await publishMetrics({ failed: 1, noSuchFigure: 1 } as never);
  await publishMetrics({ failed: 3 });

  const [lost, next] = written.map((line) => JSON.parse(line));
  expect(lost).toMatchObject({ level: 'warn', name: 'metrics.lost' });
  expect(next.Failed).toBe(3);
});

test('no two figures in `metrics` have the same metric name', () => {
  const names = Object.values(metrics).map(([name]) => name);

  expect(new Set(names).size).toBe(names.length);
});
