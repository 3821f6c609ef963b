import middy from '@middy/core';
import type {
  Context,
  DynamoDBBatchResponse,
  DynamoDBRecord,
  DynamoDBStreamEvent,
  SQSBatchResponse,
  SQSEvent,
  SQSRecord,
} from 'aws-lambda';
import { describeError, log } from './log.ts';

/** The invocation that a batch is processed in. */
export interface Invocation {
  readonly requestId: string;
  /** When Lambda stops the function, in milliseconds since the epoch. */
  readonly deadlineMs: number;
}

/**
 * Processes a batch and returns the records that must be delivered again, because of a failure of ours or lack of time.
 * A record that can never be parsed is not among them: it is logged or put into the failures queue.
 */
export type BatchWork<R> = (records: readonly R[], invocation: Invocation) => Promise<readonly R[]>;

const invocationOf = (context: Context): Invocation => ({
  requestId: context.awsRequestId,
  deadlineMs: Date.now() + context.getRemainingTimeInMillis(),
});

/** Processes the batch. An exception is logged and thrown again, so that Lambda delivers the whole batch again. */
const attempt = async <R>(work: BatchWork<R>, records: readonly R[], context: Context): Promise<readonly R[]> => {
  try {
    return await work(records, invocationOf(context));
  } catch (error) {
    log('error', 'batch.failed', {
      request_id: context.awsRequestId,
      records: records.length,
      error: describeError(error),
    });
    throw error;
  }
};

/** A function on a queue. Lambda identifies a failed item by its message id; a wrong or empty id would fail the whole batch. */
export const queueHandler = (work: BatchWork<SQSRecord>) =>
  middy<SQSEvent, SQSBatchResponse>().handler(async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const unfinished = await attempt(work, event.Records, context);
    return { batchItemFailures: unfinished.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  });

/** A function on a table's stream. Lambda delivers again every record from the given sequence number on, so only the first unfinished record is named. */
export const streamHandler = (work: BatchWork<DynamoDBRecord>) =>
  middy<DynamoDBStreamEvent, DynamoDBBatchResponse>().handler(
    async (event: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> => {
      const unfinished = new Set(await attempt(work, event.Records, context));
      const first = event.Records.find((record) => unfinished.has(record))?.dynamodb?.SequenceNumber;
      return { batchItemFailures: first === undefined ? [] : [{ itemIdentifier: first }] };
    },
  );
