import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

/**
 * Puts stream records that this release cannot parse into the failures queue, which holds the whole record for an
 * operator.
 */
export const createFailuresQueue = (client: SQSClient, queueUrl: string) => ({
  async putAside(record: unknown, reason: string): Promise<void> {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify({ reason, record }) }));
  },
});
