import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { actionsOf, functionNames, named, resourcesOf, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

describe('delivery', () => {
  const template = synthesise();
  const logicalId = (type: string, name: string) => {
    const resource = named(template, type, name);
    const found = Object.entries(resourcesOf(template)).find(([, candidate]) => candidate === resource);
    return found?.[0] ?? '';
  };
  const arn = (type: string, name: string) => ({ 'Fn::GetAtt': [logicalId(type, name), 'Arn'] });

  test.each(['deliveries', 'slow'])('sends what fails too often in the queue %s to the dead letters', (name) => {
    const { Properties } = named(template, 'AWS::SQS::Queue', name);

    expect(Properties).toMatchObject({
      VisibilityTimeout: 270,
      RedrivePolicy: { deadLetterTargetArn: arn('AWS::SQS::Queue', 'dead-letters'), maxReceiveCount: 20 },
    });
  });

  test.each(['deliveries', 'slow', 'dead-letters', 'failures'])(
    'keeps messages of %s for 14 days, encrypted',
    (name) => {
      const { Properties } = named(template, 'AWS::SQS::Queue', name);

      expect(Properties).toMatchObject({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
    },
  );

  test('takes ten messages at once and waits for none', () => {
    const mappings = resourcesOfType(template, 'AWS::Lambda::EventSourceMapping').filter(
      ({ Properties }) => Properties.StartingPosition === undefined,
    );

    expect(mappings.map(({ Properties }) => Properties)).toEqual([
      {
        BatchSize: 10,
        EventSourceArn: arn('AWS::SQS::Queue', 'deliveries'),
        FunctionName: { Ref: logicalId('AWS::Lambda::Function', 'deliver') },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        Tags: expect.anything(),
      },
      {
        BatchSize: 10,
        EventSourceArn: arn('AWS::SQS::Queue', 'slow'),
        FunctionName: { Ref: logicalId('AWS::Lambda::Function', 'deliver') },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: 10 },
        Tags: expect.anything(),
      },
    ]);
  });

  test('caps the deliveries mapping only when told', () => {
    const capped = named(
      synthesise({ deliverConcurrency: '50' }),
      'AWS::Lambda::EventSourceMapping',
      'deliveries-mapping',
    );

    expect(capped.Properties.ScalingConfig).toEqual({ MaximumConcurrency: 50 });
  });

  test('lets the deliver function, and no other, feed itself', () => {
    const looping = functionNames(template).filter(
      (name) => named(template, 'AWS::Lambda::Function', name).Properties.RecursiveLoop !== undefined,
    );

    expect(looping).toEqual(['deliver']);
    expect(named(template, 'AWS::Lambda::Function', 'deliver').Properties).toMatchObject({
      RecursiveLoop: 'Allow',
      Timeout: 45,
    });
  });

  test('looks for what is due every minute', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [Match.objectLike({ Arn: arn('AWS::Lambda::Function', 'due') })],
    });
  });

  test('looks every five minutes for hours that are over, and stops before the next tick', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(5 minutes)',
      State: 'ENABLED',
      Targets: [Match.objectLike({ Arn: arn('AWS::Lambda::Function', 'roll-up') })],
    });
    expect(named(template, 'AWS::Lambda::Function', 'roll-up').Properties.Timeout).toBe(240);
  });

  // Lambda runs a tick that failed twice more: one tick counted as three errors, and ran beside those that came after it.
  test.each([
    ['due', 60],
    ['roll-up', 300],
  ])('runs a tick of %s once, and not after the next has come', (name, seconds) => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: logicalId('AWS::Lambda::Function', name) },
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: seconds,
    });
  });

  test('lets only functions behind the stream and the queues send messages', () => {
    const senders = functionNames(template).filter((name) => actionsOf(template, name).includes('sqs:SendMessage'));

    expect(senders.toSorted()).toEqual(['deliver', 'due', 'fan-out', 'roll-up']);
  });
});
