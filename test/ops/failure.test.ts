import { describe, expect, it } from 'vitest';
import { failureOf } from '../../ops/failure.ts';

const common = { id: 'm', receipt: 'r', receiveCount: 1, sentAtMs: 5_000, firstReceivedAtMs: 5_000 };

describe('a change that the fan-out put aside', () => {
  it('is shown with its row key and the reason, without the content of the row', () => {
    const record = {
      eventID: '1',
      eventName: 'MODIFY',
      dynamodb: {
        Keys: { pk: { S: 'T#tsk_1' }, sk: { S: 'task' } },
        NewImage: { kind: { S: 'task' }, item: { S: 'item-of-nobody' } },
      },
    };

    const failure = failureOf({ ...common, body: JSON.stringify({ reason: 'the row is unreadable', record }) });

    expect(failure).toEqual({
      message_id: 'm',
      row: { kind: 'task', pk: 'T#tsk_1', sk: 'task' },
      change: 'MODIFY',
      put_aside_at: '1970-01-01T00:00:05.000Z',
      reason: 'the row is unreadable',
    });
  });

  it.each(['no JSON', '{"DDBStreamBatchInfo":{}}'])('refers to SQS when the message has another form: %s', (body) => {
    expect(failureOf({ ...common, body })).toMatchObject({
      row: null,
      reason: expect.stringContaining('read it in SQS'),
    });
  });
});
