import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** Puts aside, whole, what can never be understood: people look at it, and nothing is lost while they do. */
export const createFailuresQueue = (client: SQSClient, queueUrl: string) => ({
  async putAside(record: unknown, reason: string): Promise<void> {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify({ reason, record }) }));
  },
});
