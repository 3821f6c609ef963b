import type { Context, DynamoDBRecord, DynamoDBStreamEvent, SQSEvent, SQSRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { queueHandler, streamHandler } from '../../lambdas/runtime/batch.ts';

const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 5000 } as Context;
const queue = { Records: ['a', 'b', 'c'].map((messageId) => ({ messageId })) as SQSRecord[] } as SQSEvent;
const stream = {
  Records: ['10', '11', '12'].map((SequenceNumber) => ({ dynamodb: { SequenceNumber } })) as DynamoDBRecord[],
} as DynamoDBStreamEvent;

describe('batch handlers', () => {
  test('queueHandler returns the id of every unfinished message in batchItemFailures', async () => {
    const handler = queueHandler(async (records) => records.filter(({ messageId }) => messageId !== 'b'));

    const answer = await handler(queue, context);

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'c' }] });
  });

  test('streamHandler returns only the earliest unfinished record, by its sequence number, in batchItemFailures', async () => {
    const handler = streamHandler(async (records) => [records[2], records[1]] as DynamoDBRecord[]);

    expect(await handler(stream, context)).toEqual({ batchItemFailures: [{ itemIdentifier: '11' }] });
  });

  test('queueHandler and streamHandler return empty batchItemFailures when every record is finished', async () => {
    expect(await queueHandler(async () => [])(queue, context)).toEqual({ batchItemFailures: [] });
    expect(await streamHandler(async () => [])(stream, context)).toEqual({ batchItemFailures: [] });
  });

  test('queueHandler rejects with the exception of its function, so that the whole batch fails', async () => {
    const handler = queueHandler(async () => {
      throw new Error('ours');
    });

    await expect(handler(queue, context)).rejects.toThrow('ours');
  });

  test('queueHandler gives its function the time at which Lambda stops it: more than 4 s ahead when 5 s remain', async () => {
    let deadlineMs = 0;
    const handler = queueHandler(async (_, invocation) => {
      ({ deadlineMs } = invocation);
      return [];
    });

    await handler(queue, context);

    expect(deadlineMs - Date.now()).toBeGreaterThan(4000);
  });
});
