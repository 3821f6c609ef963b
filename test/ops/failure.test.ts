import { describe, expect, it } from 'vitest';
import { failureOf } from '../../ops/failure.ts';

const common = { id: 'm', receipt: 'r', receiveCount: 1, sentAtMs: 5_000, firstReceivedAtMs: 5_000 };

describe('failureOf, for a message in the failures queue', () => {
  it('returns the row’s key and kind, the type of the change, the time and the reason, but no other content of the row', () => {
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

  it.each([
    ['text that is not JSON', 'no JSON'],
    ['the range of a stream batch instead of a record', '{"DDBStreamBatchInfo":{}}'],
  ])('returns row null and the advice “read it in SQS” when the message contains %s', (_, body) => {
    expect(failureOf({ ...common, body })).toMatchObject({
      row: null,
      reason: expect.stringContaining('read it in SQS'),
    });
  });
});
