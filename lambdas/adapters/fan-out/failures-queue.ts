import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

/**
 * A queue for stream records that this release cannot parse. It holds the whole record until an operator has read it.
 */
export const createFailuresQueue = (client: SQSClient, queueUrl: string) => ({
  async putAside(record: unknown, reason: string): Promise<void> {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify({ reason, record }) }));
  },
});
