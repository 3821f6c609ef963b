import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { deliveryKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { deliveryId, drawId } from '../../lambdas/domain/foundation/id.ts';
import { deadLettersOf } from '../../ops/dead-letter.ts';
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

describe('a dead letter', () => {
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
    const [letter] = await deadLettersOf(tables.client, tables.deliveryTable, [messageOf(body)]);
    return letter;
  };

  it.each([
    ['owed', { status: 'pending' }, 3, 'attempt 1 is owed and was never recorded'],
    ['owed again', { status: 'failed', attempts_made: 2 }, 3, 'attempt 3 is owed and was never recorded'],
    ['owed by another message', { status: 'failed' }, 2, 'another message carries what is owed'],
    ['settled', { status: 'delivered' }, 3, 'settled meanwhile (delivered)'],
    ['held', { status: 'held' }, 3, 'its webhook is disabled'],
    ['gone', null, 3, 'its delivery is gone'],
    ['written by another version', { status: 'unheard-of' }, 3, 'none that this version reads'],
  ])('whose delivery is %s says so', async (_name, row, ticket, reason) => {
    expect((await lookUp(row, ticket))?.reason).toContain(reason);
  });

  it('tells of the last attempt what it was answered, never the answer', async () => {
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

  it.each(['no JSON', '{"v":2}', '{}'])('that is no message of ours (%s) is left for a person', async (body) => {
    const [letter] = await deadLettersOf(tables.client, tables.deliveryTable, [messageOf(body)]);

    expect(letter).toMatchObject({ delivery_id: null, reason: 'it is no message of ours: redriving leaves it' });
  });
});
