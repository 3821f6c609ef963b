import { expect, test } from 'vitest';
import { metricFilters } from '../../../local/metrics/metric-filters.ts';
import type { Assembly, Resource } from '../../../local/template/template.ts';

const assemblyOf = (...resources: readonly Resource[]): Assembly => ({
  stackName: 'test',
  resources: new Map(resources.map((resource) => [resource.logicalId, resource])),
  outputs: {},
  bundle: () => '',
});

const tick: Resource = {
  logicalId: 'tick',
  name: 'tick',
  type: 'AWS::Lambda::Function',
  properties: { LoggingConfig: { LogGroup: 'tick-log' } },
};

const filter = (FilterPattern: string, MetricValue: string): Resource => ({
  logicalId: FilterPattern,
  name: FilterPattern,
  type: 'AWS::Logs::MetricFilter',
  properties: {
    FilterPattern,
    LogGroupName: 'tick-log',
    MetricTransformations: [{ MetricNamespace: 'Test', MetricName: 'Seen', MetricValue }],
  },
});

const readingsOf = (pattern: string, value: string, fields: Readonly<Record<string, unknown>>) =>
  metricFilters(assemblyOf(tick, filter(pattern, value)), (given) => given)
    .read('tick', fields)
    .map((reading) => reading.value);

test.each([
  ['{ $.name = "a" }', { name: 'a' }, true],
  ['{ $.name = "a" }', { name: 'b' }, false],
  ['{ ($.name = "a") && ($.n >= 0) }', { name: 'a', n: 0 }, true],
  ['{ ($.name = "a") && ($.n >= 0) }', { name: 'a' }, false],
  ['{ ($.name = "a") && ($.n > 1) }', { name: 'a', n: 1 }, false],
  ['{ $.n = 1 }', { n: 2 }, false],
])('takes %s as it is meant', (pattern, fields, isSeen) => {
  expect(readingsOf(pattern, '1', fields)).toEqual(isSeen ? [1] : []);
});

test('reads the number of a field, and nothing where it is none', () => {
  expect(readingsOf('{ $.name = "a" }', '$.n', { name: 'a', n: 7 })).toEqual([7]);
  expect(readingsOf('{ $.name = "a" }', '$.n', { name: 'a', n: 'seven' })).toEqual([]);
});

test('names what cannot be applied here', () => {
  const strange = '{ $.name = "a*" || $.n IS NULL }';

  const { unknown } = metricFilters(assemblyOf(tick, filter(strange, '1')), (given) => given);

  expect(unknown).toEqual([expect.stringContaining(strange)]);
});
