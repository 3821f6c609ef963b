import { readFileSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { metrics } from '../../lambdas/runtime/metric-names.ts';
import { nameOf, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

describe('the monitoring construct', () => {
  const template = synthesise();
  const alarms = resourcesOfType(template, 'AWS::CloudWatch::Alarm');
  const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

  test('docs/runbook.md has exactly one section for each alarm, and every alarm links to its section', () => {
    const sections = [...runbook.matchAll(/^## (\S+)$/gm)].map(([, name]) => name);

    expect(sections.toSorted()).toEqual(alarms.map(nameOf).toSorted());
    for (const alarm of alarms) {
      expect(alarm.Properties.AlarmDescription).toContain(`docs/runbook.md#${nameOf(alarm)}`);
    }
  });

  test('every alarm has exactly one action, and the policy of the SNS topic lets CloudWatch publish', () => {
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [Match.anyValue()] });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: Match.objectLike({
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Action: 'sns:Publish',
          }),
        ]),
      }),
    });
  });

  test('only the alarms stream-unread, tick-missed and roll-up-missed treat missing data as breaching', () => {
    const breaching = alarms.filter(({ Properties }) => Properties.TreatMissingData !== 'notBreaching');

    expect(breaching.map(nameOf)).toEqual(['stream-unread', 'tick-missed', 'roll-up-missed']);
    for (const { Properties } of breaching) expect(Properties.TreatMissingData).toBe('breaching');
  });

  test('in production, every alarm on a metric of PassPost reads the dimension service=passpost-production', () => {
    const alarmsOnOwnMetrics = resourcesOfType(synthesise({ stage: 'production' }), 'AWS::CloudWatch::Alarm')
      .map(({ Properties }) => JSON.stringify(Properties))
      .filter((text) => text.includes('"PassPost"'));

    expect(alarmsOnOwnMetrics.length).toBeGreaterThan(0);
    for (const text of alarmsOnOwnMetrics) expect(text).toContain('{"Name":"service","Value":"passpost-production"}');
  });

  test('has one dashboard with five questions as headings, and saved log queries by webhook_id and by owner', () => {
    const [dashboard, ...others] = resourcesOfType(template, 'AWS::CloudWatch::Dashboard');
    const body = JSON.stringify(dashboard?.Properties.DashboardBody);
    const queries = resourcesOfType(template, 'AWS::Logs::QueryDefinition').map(({ Properties }) => Properties);

    expect(others).toEqual([]);
    for (const question of ['arriving', 'failing', 'late', 'waits', 'cost']) {
      expect(body).toMatch(new RegExp(`## [^"]*${question}[^"]*\\?`));
    }
    expect(queries.map(({ Name }) => Name)).toEqual(
      expect.arrayContaining(['passpost-test/failing webhooks', 'passpost-test/failing accounts']),
    );
    expect(queries.map(({ QueryString }) => QueryString).join()).toMatch(/by webhook_id.*by owner/s);
  });

  // CloudWatch documents aggregates over fields, not over comparisons such as sum(outcome != 'delivered').
  test('every aggregate of a saved log query takes a field or *, and no expression', () => {
    const texts = resourcesOfType(template, 'AWS::Logs::QueryDefinition').map(({ Properties }) =>
      String(Properties.QueryString),
    );
    const aggregates = texts.flatMap((text) =>
      [...text.matchAll(/\b(?:count|sum|avg|min|max|pct|stddev)\((?:[^()]|\([^()]*\))*\)/g)].map(([found]) => found),
    );

    expect(aggregates).toEqual(expect.arrayContaining(['sum(is_failing)', 'count(*)', 'max(duration_ms)']));
    for (const aggregate of aggregates) expect(aggregate).toMatch(/^\w+\((\*|[\w.]+)\)$/);
  });

  // Each view of a widget with a log query reads the logs again, and CloudWatch charges for each gigabyte.
  test('the dashboard has no widget with a log query, and names every saved query beside a link to Logs Insights', () => {
    const [dashboard] = resourcesOfType(template, 'AWS::CloudWatch::Dashboard');
    const body = JSON.stringify(dashboard?.Properties.DashboardBody);

    expect(body).not.toMatch(/\\"type\\":\\"log\\"/);
    expect(body).toMatch(/\\"type\\":\\"metric\\"/);
    expect(body).toContain('#logsV2:logs-insights');
    for (const { Properties } of resourcesOfType(template, 'AWS::Logs::QueryDefinition')) {
      expect(body).toContain(String(Properties.Name));
    }
  });

  // Percentiles of a metric that a metric filter writes exist only if no value is negative.
  test('every metric filter on a number of a log line requires that the number is at least 0', () => {
    const filters = resourcesOfType(template, 'AWS::Logs::MetricFilter').map(({ Properties }) => Properties);
    const onNumbers = filters.flatMap(({ MetricTransformations, FilterPattern }) =>
      (MetricTransformations as { MetricValue: string }[]).map(({ MetricValue }) => [MetricValue, FilterPattern]),
    );

    expect(onNumbers.some(([value]) => value === '$.lateness_ms')).toBe(true);
    for (const [value, pattern] of onNumbers.filter(([value]) => String(value).startsWith('$.'))) {
      expect(pattern).toContain(`${value} >= 0`);
    }
  });

  test('every metric of PassPost that an alarm reads is listed in lambdas/runtime/metric-names.ts', () => {
    const text = JSON.stringify(alarms);
    const names = [...text.matchAll(/"MetricName":"(\w+)","Namespace":"PassPost"/g)].map(([, name]) => name);
    const written: readonly string[] = Object.values(metrics).map(([name]) => name);

    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(written).toContain(name);
  });
});
