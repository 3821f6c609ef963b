import { readFileSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { metrics } from '../../lambdas/runtime/metric-names.ts';
import { nameOf, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

describe('monitoring', () => {
  const template = synthesise();
  const alarms = resourcesOfType(template, 'AWS::CloudWatch::Alarm');
  const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

  test('has a section of the runbook for every alarm, and none without', () => {
    const sections = [...runbook.matchAll(/^## (\S+)$/gm)].map(([, name]) => name);

    expect(sections.toSorted()).toEqual(alarms.map(nameOf).toSorted());
    for (const alarm of alarms) {
      expect(alarm.Properties.AlarmDescription).toContain(`docs/runbook.md#${nameOf(alarm)}`);
    }
  });

  test('tells the topic, and is let in by it', () => {
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

  test('stays quiet while nothing happens, but for what must come all the same', () => {
    const breaching = alarms.filter(({ Properties }) => Properties.TreatMissingData !== 'notBreaching');

    expect(breaching.map(nameOf)).toEqual(['stream-unread', 'tick-missed', 'roll-up-missed']);
    for (const { Properties } of breaching) expect(Properties.TreatMissingData).toBe('breaching');
  });

  test('is told apart from another stage of the same account', () => {
    const own = resourcesOfType(synthesise({ stage: 'production' }), 'AWS::CloudWatch::Alarm')
      .map(({ Properties }) => JSON.stringify(Properties))
      .filter((text) => text.includes('"PassPost"'));

    expect(own.length).toBeGreaterThan(0);
    for (const text of own) expect(text).toContain('{"Name":"service","Value":"passpost-production"}');
  });

  test('has one dashboard, and saves its queries by webhook and account with the stack', () => {
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

  test('asks for no metric that nobody writes', () => {
    const text = JSON.stringify(alarms);
    const asked = [...text.matchAll(/"MetricName":"(\w+)","Namespace":"PassPost"/g)].map(([, name]) => name);
    const written: readonly string[] = Object.values(metrics).map(([name]) => name);

    expect(asked.length).toBeGreaterThan(5);
    for (const name of asked) expect(written).toContain(name);
  });
});
