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

/** The invocation of a Lambda function that processes a batch. */
export interface Invocation {
  readonly requestId: string;
  /** When Lambda stops the function, in milliseconds since the epoch. */
  readonly deadlineMs: number;
}

/**
 * Processes a batch and returns the records that must be delivered again, because PassPost failed or the time ran out.
 * A record that can never be parsed is not returned: it is logged or put into the failures queue.
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

/**
 * Creates the handler of a function that reads a queue. The handler returns the message ids of unfinished records,
 * which Lambda delivers again; a wrong or empty id would make Lambda deliver the whole batch again.
 */
export const queueHandler = (work: BatchWork<SQSRecord>) =>
  middy<SQSEvent, SQSBatchResponse>().handler(async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const unfinished = await attempt(work, event.Records, context);
    return { batchItemFailures: unfinished.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  });

/**
 * Creates the handler of a function that reads a table's stream. The handler returns only the sequence number of the
 * first unfinished record, because Lambda delivers every record from that number on again.
 */
export const streamHandler = (work: BatchWork<DynamoDBRecord>) =>
  middy<DynamoDBStreamEvent, DynamoDBBatchResponse>().handler(
    async (event: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> => {
      const unfinished = new Set(await attempt(work, event.Records, context));
      const first = event.Records.find((record) => unfinished.has(record))?.dynamodb?.SequenceNumber;
      return { batchItemFailures: first === undefined ? [] : [{ itemIdentifier: first }] };
    },
  );
