import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { actionsOf, functionNames, named, resourcesOf, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

describe('the delivery construct', () => {
  const template = synthesise();
  const logicalId = (type: string, name: string) => {
    const resource = named(template, type, name);
    const entry = Object.entries(resourcesOf(template)).find(([, candidate]) => candidate === resource);
    return entry?.[0] ?? '';
  };
  const arn = (type: string, name: string) => ({ 'Fn::GetAtt': [logicalId(type, name), 'Arn'] });

  test.each(['deliveries', 'slow'])(
    'the queue %s hides a received message for 270 s and moves it to the queue dead-letters after 20 receives',
    (name) => {
      const { Properties } = named(template, 'AWS::SQS::Queue', name);

      expect(Properties).toMatchObject({
        VisibilityTimeout: 270,
        RedrivePolicy: { deadLetterTargetArn: arn('AWS::SQS::Queue', 'dead-letters'), maxReceiveCount: 20 },
      });
    },
  );

  test.each(['deliveries', 'slow', 'dead-letters', 'failures'])(
    'the queue %s of the stack retains messages for 14 days and encrypts them with SQS-managed keys',
    (name) => {
      const { Properties } = named(template, 'AWS::SQS::Queue', name);

      expect(Properties).toMatchObject({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
    },
  );

  test('the mappings of the queues deliveries and slow pass at most 10 messages without a batching window; only slow is limited (10 runs)', () => {
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

  test('the setting deliverConcurrency=50 gives the mapping of the queue deliveries a maximum concurrency of 50', () => {
    const capped = named(
      synthesise({ deliverConcurrency: '50' }),
      'AWS::Lambda::EventSourceMapping',
      'deliveries-mapping',
    );

    expect(capped.Properties.ScalingConfig).toEqual({ MaximumConcurrency: 50 });
  });

  test('only the deliver function sets RecursiveLoop (to Allow), and its timeout is 45 s', () => {
    const looping = functionNames(template).filter(
      (name) => named(template, 'AWS::Lambda::Function', name).Properties.RecursiveLoop !== undefined,
    );

    expect(looping).toEqual(['deliver']);
    expect(named(template, 'AWS::Lambda::Function', 'deliver').Properties).toMatchObject({
      RecursiveLoop: 'Allow',
      Timeout: 45,
    });
  });

  test('an enabled EventBridge rule runs the due function every minute', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [Match.objectLike({ Arn: arn('AWS::Lambda::Function', 'due') })],
    });
  });

  test('an enabled EventBridge rule runs the roll-up function every five minutes, and the function times out after 240 s', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(5 minutes)',
      State: 'ENABLED',
      Targets: [Match.objectLike({ Arn: arn('AWS::Lambda::Function', 'roll-up') })],
    });
    expect(named(template, 'AWS::Lambda::Function', 'roll-up').Properties.Timeout).toBe(240);
  });

  // The bug: by default Lambda retries a failed asynchronous run twice, so one failed tick counted as three errors, and its retries
  // ran at the same time as later ticks.
  test.each([
    ['due', 60],
    ['roll-up', 300],
  ])(
    'Lambda does not retry a failed tick of the %s function, and drops a tick that has waited for %i s',
    (name, seconds) => {
      template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
        FunctionName: { Ref: logicalId('AWS::Lambda::Function', name) },
        Qualifier: '$LATEST',
        MaximumRetryAttempts: 0,
        MaximumEventAgeInSeconds: seconds,
      });
    },
  );

  test('only the roles of deliver, due, fan-out and roll-up allow sqs:SendMessage', () => {
    const senders = functionNames(template).filter((name) => actionsOf(template, name).includes('sqs:SendMessage'));

    expect(senders.toSorted()).toEqual(['deliver', 'due', 'fan-out', 'roll-up']);
  });
});
