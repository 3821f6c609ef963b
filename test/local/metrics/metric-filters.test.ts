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
])('metric filter %s on the line %o matches: %s', (pattern, fields, isMatch) => {
  expect(readingsOf(pattern, '1', fields)).toEqual(isMatch ? [1] : []);
});

test('a metric filter reads the number in a field, and nothing if the field is not a number', () => {
  expect(readingsOf('{ $.name = "a" }', '$.n', { name: 'a', n: 7 })).toEqual([7]);
  expect(readingsOf('{ $.name = "a" }', '$.n', { name: 'a', n: 'seven' })).toEqual([]);
});

test('a metric filter that the local stack cannot apply is reported by name', () => {
  const strange = '{ $.name = "a*" || $.n IS NULL }';

  const { unknown } = metricFilters(assemblyOf(tick, filter(strange, '1')), (given) => given);

  expect(unknown).toEqual([expect.stringContaining(strange)]);
});
