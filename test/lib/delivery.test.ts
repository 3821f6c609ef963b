import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { actionsOf, functionNames, named, resourcesOf, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

describe('delivery', () => {
  const template = synthesise();
  const logicalId = (type: string, name: string) => {
    const resource = named(template, type, name);
    const entry = Object.entries(resourcesOf(template)).find(([, candidate]) => candidate === resource);
    return entry?.[0] ?? '';
  };
  const arn = (type: string, name: string) => ({ 'Fn::GetAtt': [logicalId(type, name), 'Arn'] });

  test.each(['deliveries', 'slow'])(
    'the queue %s moves a message to the dead-letter queue after 20 receives',
    (name) => {
      const { Properties } = named(template, 'AWS::SQS::Queue', name);

      expect(Properties).toMatchObject({
        VisibilityTimeout: 270,
        RedrivePolicy: { deadLetterTargetArn: arn('AWS::SQS::Queue', 'dead-letters'), maxReceiveCount: 20 },
      });
    },
  );

  test.each(['deliveries', 'slow', 'dead-letters', 'failures'])(
    'the queue %s retains messages for 14 days and encrypts them',
    (name) => {
      const { Properties } = named(template, 'AWS::SQS::Queue', name);

      expect(Properties).toMatchObject({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
    },
  );

  test('the mappings of both lanes take up to ten messages without a batching window', () => {
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

  test('the setting deliverConcurrency limits the deliveries mapping', () => {
    const capped = named(
      synthesise({ deliverConcurrency: '50' }),
      'AWS::Lambda::EventSourceMapping',
      'deliveries-mapping',
    );

    expect(capped.Properties.ScalingConfig).toEqual({ MaximumConcurrency: 50 });
  });

  test('only the deliver function may send messages to its own queue (RecursiveLoop)', () => {
    const looping = functionNames(template).filter(
      (name) => named(template, 'AWS::Lambda::Function', name).Properties.RecursiveLoop !== undefined,
    );

    expect(looping).toEqual(['deliver']);
    expect(named(template, 'AWS::Lambda::Function', 'deliver').Properties).toMatchObject({
      RecursiveLoop: 'Allow',
      Timeout: 45,
    });
  });

  test('the due function runs every minute', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [Match.objectLike({ Arn: arn('AWS::Lambda::Function', 'due') })],
    });
  });

  test('the roll-up function runs every five minutes and times out before the next tick', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(5 minutes)',
      State: 'ENABLED',
      Targets: [Match.objectLike({ Arn: arn('AWS::Lambda::Function', 'roll-up') })],
    });
    expect(named(template, 'AWS::Lambda::Function', 'roll-up').Properties.Timeout).toBe(240);
  });

  // Lambda retries a failed asynchronous run twice by default: one tick counted as three errors and ran beside later ticks.
  test.each([
    ['due', 60],
    ['roll-up', 300],
  ])('Lambda runs a tick of %s once, and not after the next tick (%i s)', (name, seconds) => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: logicalId('AWS::Lambda::Function', name) },
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: seconds,
    });
  });

  test('no function of the API may send messages to a queue', () => {
    const senders = functionNames(template).filter((name) => actionsOf(template, name).includes('sqs:SendMessage'));

    expect(senders.toSorted()).toEqual(['deliver', 'due', 'fan-out', 'roll-up']);
  });
});
