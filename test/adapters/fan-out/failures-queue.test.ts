import { type SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { type ChangeRecord, createFailuresQueue, REPEATED } from '../../../lambdas/adapters/fan-out/failures-queue.ts';

const Keys = { pk: { S: 'T#tsk_1' }, sk: { S: 'task' } };
const recordOf = (note: string): ChangeRecord => ({
  eventID: '1',
  eventName: 'MODIFY',
  eventSource: 'aws:dynamodb',
  dynamodb: { Keys, NewImage: { ...Keys, kind: { S: 'task' }, note: { S: note } } },
});

describe('the failures queue of the fan-out', () => {
  /** The bodies that `putAside` sends, read from the SDK's client before the request. */
  const sentBodies = async (...records: ChangeRecord[]): Promise<string[]> => {
    const bodies: string[] = [];
    const client = new SQSClient({ region: 'us-east-1' });
    client.middlewareStack.add(
      () => async (args) => {
        bodies.push((args.input as SendMessageCommand['input']).MessageBody ?? '');
        return { response: {}, output: { $metadata: {} } };
      },
      { step: 'initialize' },
    );
    const { putAside } = createFailuresQueue(client, 'https://sqs.example/failures');
    for (const record of records) await putAside(record, 'refused');
    return bodies;
  };

  it('gets keys and new image of a record, and only the keys if the message would be longer than 1 MiB', async () => {
    // A control character takes six bytes in a message, so a row of 400 KB may take 2.4 MB.
    const [short = '', long = ''] = await sentBodies(recordOf('note'), recordOf('\u0001'.repeat(380_000)));

    expect(JSON.parse(short).record).toEqual({
      eventID: '1',
      eventName: 'MODIFY',
      dynamodb: { Keys, NewImage: recordOf('note').dynamodb?.NewImage },
    });
    expect(JSON.parse(long)).toEqual({
      reason: 'refused',
      record: { eventID: '1', eventName: 'MODIFY', dynamodb: { Keys } },
    });
    expect(Buffer.byteLength(long)).toBeLessThan(1_048_576);
  });

  it('does not get a record that an operator repeats: putAside rejects with the reason', async () => {
    await expect(sentBodies({ ...recordOf('note'), eventSource: REPEATED })).rejects.toThrow('refused');
  });
});
