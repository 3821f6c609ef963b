import { describe, expect, test } from 'vitest';
import { named, resourcesOf, synthesise } from '../helpers/synthesised.ts';

describe('the fan-out construct', () => {
  const template = synthesise();
  const { Properties } = named(template, 'AWS::Lambda::EventSourceMapping', 'stream-mapping');

  test('the stream mapping starts at the oldest record, passes at most 100 records, and retries for 23 hours without a limit of attempts', () => {
    expect(Properties).toMatchObject({
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 100,
      MaximumRetryAttempts: -1,
      MaximumRecordAgeInSeconds: 82_800,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    expect(Properties).not.toHaveProperty('MaximumBatchingWindowInSeconds');
  });

  test('the stream mapping passes only tasks, commands, templates, published events, job results for webhooks and removed heartbeats', () => {
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

  test('the stream mapping sends records that it gives up to the queue failures', () => {
    const destination = JSON.stringify(Properties.DestinationConfig);
    const failures = Object.entries(resourcesOf(template)).find(([id]) => id.startsWith('fanoutfailures'));

    expect(destination).toContain(failures?.[0]);
  });

  // A replaced mapping reads the last 24 hours again, so its logical id may change only on purpose.
  test('the stream mapping has the logical id fanoutstreammapping56B769D0', () => {
    expect(resourcesOf(template)).toHaveProperty('fanoutstreammapping56B769D0');
  });
});
