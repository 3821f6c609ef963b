import type { Context, DynamoDBRecord, DynamoDBStreamEvent, SQSEvent, SQSRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { queueHandler, streamHandler } from '../../lambdas/runtime/batch.ts';

const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 5000 } as Context;
const queue = { Records: ['a', 'b', 'c'].map((messageId) => ({ messageId })) as SQSRecord[] } as SQSEvent;
const stream = {
  Records: ['10', '11', '12'].map((SequenceNumber) => ({ dynamodb: { SequenceNumber } })) as DynamoDBRecord[],
} as DynamoDBStreamEvent;

describe('a batch', () => {
  test('of a queue names the messages that are unfinished', async () => {
    const handler = queueHandler(async (records) => records.filter(({ messageId }) => messageId !== 'b'));

    const answer = await handler(queue, context);

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'c' }] });
  });

  test('of a stream names the first record that is unfinished', async () => {
    const handler = streamHandler(async (records) => [records[2], records[1]] as DynamoDBRecord[]);

    expect(await handler(stream, context)).toEqual({ batchItemFailures: [{ itemIdentifier: '11' }] });
  });

  test('that is finished names none', async () => {
    expect(await queueHandler(async () => [])(queue, context)).toEqual({ batchItemFailures: [] });
    expect(await streamHandler(async () => [])(stream, context)).toEqual({ batchItemFailures: [] });
  });

  test('whose work throws comes back whole', async () => {
    const handler = queueHandler(async () => {
      throw new Error('ours');
    });

    await expect(handler(queue, context)).rejects.toThrow('ours');
  });

  test('knows when it will be stopped', async () => {
    let deadlineMs = 0;
    const handler = queueHandler(async (_, invocation) => {
      ({ deadlineMs } = invocation);
      return [];
    });

    await handler(queue, context);

    expect(deadlineMs - Date.now()).toBeGreaterThan(4000);
  });
});
