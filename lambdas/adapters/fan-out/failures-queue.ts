import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

/**
 * The longest message that SQS takes, in bytes.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
 */
const MAX_BYTES = 1_048_576;

/**
 * The `eventSource` of a record that an operator gives to the fan-out again, from the failures queue. Such a record is
 * not put aside a second time: the invocation fails, and the message stays in the queue.
 */
export const REPEATED = 'passpost:failures';

/** The parts of a stream record that the failures queue stores. */
export interface ChangeRecord {
  readonly eventID?: string | undefined;
  readonly eventName?: string | undefined;
  readonly eventSource?: string | undefined;
  readonly dynamodb?: { readonly Keys?: object | undefined; readonly NewImage?: object | undefined } | undefined;
}

/**
 * Puts stream records that can never be carried out into the failures queue: keys, new image and the reason. A record
 * whose image is too long for a message is put aside without the image; its row still exists.
 */
export const createFailuresQueue = (client: SQSClient, queueUrl: string) => ({
  async putAside({ eventID, eventName, eventSource, dynamodb }: ChangeRecord, reason: string): Promise<void> {
    if (eventSource === REPEATED) throw new Error(`The change cannot be carried out: ${reason}.`);
    const messageOf = (image: object): string =>
      JSON.stringify({ reason, record: { eventID, eventName, dynamodb: { Keys: dynamodb?.Keys, ...image } } });
    const whole = messageOf({ NewImage: dynamodb?.NewImage });
    const MessageBody = Buffer.byteLength(whole) <= MAX_BYTES ? whole : messageOf({});
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
  },
});
