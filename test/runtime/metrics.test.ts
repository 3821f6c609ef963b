import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { metricNamespace, metrics } from '../../lambdas/runtime/metric-names.ts';
import { publishMetrics } from '../../lambdas/runtime/metrics.ts';

let written: string[] = [];

beforeEach(() => {
  written = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
});
afterEach(() => vi.restoreAllMocks());

test('writes one line, for the whole and for the profile', () => {
  publishMetrics({ delivered: 2, dead: 0, receiverMs: [12, 30], latenessMs: [] }, 'passmint');

  const lines = written.map((line) => JSON.parse(line));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ profile: 'passmint', Delivered: 2, ReceiverDuration: [12, 30] });
  expect(lines[0]._aws.CloudWatchMetrics).toEqual([
    {
      Namespace: metricNamespace,
      Dimensions: [['service'], ['service', 'profile']],
      Metrics: [
        { Name: 'Delivered', Unit: 'Count' },
        { Name: 'ReceiverDuration', Unit: 'Milliseconds' },
      ],
    },
  ]);
});

test('writes nothing where nothing was counted', () => {
  publishMetrics({ rateLimited: 0, throttles: 0, fanOutSize: [] });

  expect(written).toEqual([]);
});

test('starts every line afresh', () => {
  publishMetrics({ dead: 1 }, 'inpost');
  publishMetrics({ held: 1 });

  const [, second] = written.map((line) => JSON.parse(line));
  expect(second).not.toHaveProperty('Dead');
  expect(second._aws.CloudWatchMetrics[0].Dimensions).toEqual([['service']]);
});

test('costs the numbers alone when it fails', () => {
  publishMetrics({ dead: 1, unheardOf: 1 } as never);
  publishMetrics({ dead: 3 });

  const [lost, next] = written.map((line) => JSON.parse(line));
  expect(lost).toMatchObject({ level: 'warn', name: 'metrics.lost' });
  expect(next.Dead).toBe(3);
});

test('names every metric once', () => {
  const names = Object.values(metrics).map(([name]) => name);

  expect(new Set(names).size).toBe(names.length);
});
