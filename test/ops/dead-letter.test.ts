import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { deliveryKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { deliveryId, drawId } from '../../lambdas/domain/foundation/id.ts';
import { readDeadLetters } from '../../ops/dead-letter.ts';
import type { QueueMessage } from '../../ops/queue-messages.ts';
import { useTables } from '../helpers/tables.ts';

const messageOf = (body: string): QueueMessage => ({
  id: 'm',
  receipt: 'r',
  body,
  receiveCount: 21,
  sentAtMs: 1_000,
  firstReceivedAtMs: 2_000,
});

describe('readDeadLetters', () => {
  const tables = useTables();
  const lookUp = async (row: Record<string, unknown> | null, ticket = 3) => {
    const [event_id, id] = [drawId('evt', 1), deliveryId(1, drawId('evt', 1), drawId('whk', 1))];
    const owner = 'acc_1#live';
    if (row) {
      const delivery = { id, owner, event_id, event_type: 'task.accepted', ticket: 3, due_at: 1, ...row };
      const Item = marshall({ ...deliveryKey(id), ...delivery });
      await tables.client.send(new PutItemCommand({ TableName: tables.deliveryTable, Item }));
    }
    const body = JSON.stringify({ v: 1, d: id, t: ticket, o: owner, e: event_id, r: 1 });
    const [letter] = await readDeadLetters(tables.client, tables.deliveryTable, [messageOf(body)]);
    return letter;
  };

  it.each([
    [
      'waits for its first attempt: attempt 1 was never recorded',
      { status: 'pending' },
      3,
      'attempt 1 is due and was never recorded',
    ],
    [
      'has two attempts and waits for a retry: attempt 3 was never recorded',
      { status: 'failed', attempts_made: 2 },
      3,
      'attempt 3 is due and was never recorded',
    ],
    [
      'has a newer ticket than the message: a newer message exists',
      { status: 'failed' },
      2,
      'a newer message carries this delivery',
    ],
    ['is delivered: the delivery is settled', { status: 'delivered' }, 3, 'its delivery is settled (delivered)'],
    [
      'is delivered and redelivered: attempt 2 was never recorded',
      { status: 'delivered', redelivery: 'waiting', attempts_made: 1, settled_at: 1 },
      3,
      'attempt 2 is due and was never recorded',
    ],
    [
      'is delivered and its redelivery is held: the webhook is disabled',
      { status: 'delivered', redelivery: 'held', settled_at: 1 },
      3,
      'its webhook is disabled',
    ],
    ['is held: the webhook is disabled', { status: 'held' }, 3, 'its webhook is disabled'],
    ['does not exist: the delivery was deleted or has expired', null, 3, 'its delivery was deleted or has expired'],
    [
      'has an unknown status: this version cannot read the row',
      { status: 'unheard-of' },
      3,
      'this version cannot read the row',
    ],
  ])('gives the reason of a dead letter whose delivery %s', async (_name, row, ticket, reason) => {
    expect((await lookUp(row, ticket))?.reason).toContain(reason);
  });

  it('returns the number, time, HTTP status and error code of the delivery’s last attempt, but not the response body', async () => {
    const last = {
      number: 2,
      trigger: 'schedule',
      due_at: 1,
      started_at: 5_000,
      duration_ms: 3,
      http_status: 503,
      response_body: 'body-of-nobody',
      error: { code: 'refused_status', message: 'The receiver answered 503.' },
    };

    const letter = await lookUp({ status: 'failed', attempts_made: 2, last: JSON.stringify(last) });

    expect(letter?.last_attempt).toEqual({
      number: 2,
      at: '1970-01-01T00:00:05.000Z',
      http_status: 503,
      error: 'refused_status',
    });
    expect(JSON.stringify(letter)).not.toContain('body-of-nobody');
  });

  it.each([
    ['text that is not JSON', 'no JSON'],
    ['a ticket of version 2', '{"v":2}'],
    ['an empty JSON object', '{}'],
  ])(
    'returns delivery_id null and the reason “PassPost did not write this message” for a message that is %s',
    async (_, body) => {
      const [letter] = await readDeadLetters(tables.client, tables.deliveryTable, [messageOf(body)]);

      expect(letter).toMatchObject({
        delivery_id: null,
        reason: 'PassPost did not write this message: redrive leaves it in the queue',
      });
    },
  );
});
