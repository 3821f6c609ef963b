import { describe, expect, test } from 'vitest';
import { named, resourcesOf, synthesise } from '../helpers/synthesised.ts';

describe('fan-out', () => {
  const template = synthesise();
  const { Properties } = named(template, 'AWS::Lambda::EventSourceMapping', 'stream-mapping');

  test('reads from the beginning and never gives up', () => {
    expect(Properties).toMatchObject({
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 100,
      MaximumRetryAttempts: -1,
      MaximumRecordAgeInSeconds: -1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    expect(Properties).not.toHaveProperty('MaximumBatchingWindowInSeconds');
  });

  test('hears of tasks, commands, templates, published events, results for webhooks and the heartbeat only', () => {
    const { Filters } = Properties.FilterCriteria as { Filters: readonly { Pattern: string }[] };

    expect(Filters.map(({ Pattern }) => JSON.parse(Pattern))).toEqual([
      { dynamodb: { NewImage: { kind: { S: ['task', 'command', 'template'] } } } },
      { dynamodb: { NewImage: { kind: { S: ['event'] }, origin: { S: ['publish'] } } } },
      {
        dynamodb: { NewImage: { kind: { S: ['job'] }, status: { S: ['completed'] }, result_to: { S: ['webhooks'] } } },
      },
      { eventName: ['REMOVE'], dynamodb: { Keys: { pk: { S: ['HEARTBEAT'] } } } },
    ]);
  });

  test('has a queue for what it can never understand', () => {
    const destination = JSON.stringify(Properties.DestinationConfig);
    const failures = Object.entries(resourcesOf(template)).find(([id]) => id.startsWith('fanoutfailures'));

    expect(destination).toContain(failures?.[0]);
  });

  // A mapping that is replaced reads the last 24 hours again: its id may only change on purpose.
  test('keeps the logical id of its mapping', () => {
    expect(resourcesOf(template)).toHaveProperty('fanoutstreammapping56B769D0');
  });
});
