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
  ['matches a line with this name', '{ $.name = "a" }', { name: 'a' }, true],
  ['does not match a line with another name', '{ $.name = "a" }', { name: 'b' }, false],
  ['matches a line with this name and n 0', '{ ($.name = "a") && ($.n >= 0) }', { name: 'a', n: 0 }, true],
  ['does not match a line without n', '{ ($.name = "a") && ($.n >= 0) }', { name: 'a' }, false],
  ['does not match a line with n 1', '{ ($.name = "a") && ($.n > 1) }', { name: 'a', n: 1 }, false],
  ['does not match a line with n 2', '{ $.n = 1 }', { n: 2 }, false],
])('a metric filter on the local stack %s: %s', (_, pattern, fields, isMatch) => {
  expect(readingsOf(pattern, '1', fields)).toEqual(isMatch ? [1] : []);
});

test('a metric filter with the value $.n reads 7 from a line whose n is 7, and nothing from a line whose n is a text', () => {
  expect(readingsOf('{ $.name = "a" }', '$.n', { name: 'a', n: 7 })).toEqual([7]);
  expect(readingsOf('{ $.name = "a" }', '$.n', { name: 'a', n: 'seven' })).toEqual([]);
});

test('a metric filter whose pattern the local stack cannot parse is reported by name', () => {
  const strange = '{ $.name = "a*" || $.n IS NULL }';

  const { unknown } = metricFilters(assemblyOf(tick, filter(strange, '1')), (given) => given);

  expect(unknown).toEqual([expect.stringContaining(strange)]);
});
