import { readFileSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
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

  test('stays quiet while nothing happens', () => {
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { TreatMissingData: 'notBreaching' });
  });
});
