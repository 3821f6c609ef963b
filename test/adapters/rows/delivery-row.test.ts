import { describe, expect, it } from 'vitest';
import {
  attemptRows,
  deliveryUpdate,
  newDeliveryRow,
  unparkUpdate,
} from '../../../lambdas/adapters/rows/delivery-row.ts';
import { attentionPkOf, deliveryKey, duePkOf } from '../../../lambdas/adapters/rows/table-keys.ts';
import {
  type Attempt,
  attemptSchema,
  newDelivery,
  type StoredDelivery,
} from '../../../lambdas/domain/deliveries/delivery.ts';
import {
  applyAttempt,
  cancelDelivery,
  holdDelivery,
  releaseDelivery,
  rescheduleDelivery,
} from '../../../lambdas/domain/deliveries/transitions.ts';
import { drawId } from '../../../lambdas/domain/foundation/id.ts';

const START_MS = Date.UTC(2026, 10, 1);
const DAY_SECONDS = 86_400;
const event = {
  id: drawId('evt', START_MS),
  owner: 'acc_1#live',
  type: 'task.created',
  created_at: new Date(START_MS).toISOString(),
};
const created = newDelivery(event, drawId('whk', START_MS));
const { id } = created;

const attempt = (number: number, over: Partial<Attempt> = {}): Attempt =>
  attemptSchema.parse({
    number,
    trigger: 'schedule',
    due_at: START_MS,
    started_at: START_MS,
    duration_ms: 10,
    ...over,
  });
const next = { dueAtMs: START_MS + 60_000, isParked: false };
const long = 'x'.repeat(301);

const failed = applyAttempt(created, attempt(1), 'refused', next);
const parked = applyAttempt(created, attempt(1), 'refused', { ...next, isParked: true });
const dead = applyAttempt(failed, attempt(2), 'refused', null);
const held = holdDelivery(failed);
const delivered = applyAttempt(failed, attempt(2), 'delivered', null);

const update = (before: StoredDelivery, after: StoredDelivery) => deliveryUpdate({ before, after }, 30);

describe('the row of a delivery', () => {
  it('of a new delivery is in no index and omits default values', () => {
    expect(newDeliveryRow(created)).toEqual({
      ...deliveryKey(id),
      kind: 'delivery',
      id,
      owner: event.owner,
      event_id: event.id,
      event_type: event.type,
      status: 'pending',
      ticket: 1,
      due_at: START_MS,
    });
  });

  it('of a delivery that a command creates is in the due index and has the ids of the command and the request', () => {
    const row = newDeliveryRow(created, { isDue: true, commandId: 'replay#1', requestedBy: 'req-1' });

    expect(row).toMatchObject({ due_pk: duePkOf(id), command_id: 'replay#1', requested_by: 'req-1' });
  });

  it.each([
    ['a refused attempt', created, failed],
    ['a release', held, releaseDelivery(held, START_MS)],
    ['a redelivery of an unfinished delivery', failed, rescheduleDelivery(failed, 'replay', START_MS)],
  ])('after %s is in the due index and the attention index, and the update writes no expiry', (_, before, after) => {
    expect(update(before, after)).toMatchObject({
      set: { due_pk: duePkOf(id), att_pk: attentionPkOf(id, after.status), ttl: null },
      expected: { ticket: before.ticket },
      cleared: [],
    });
    expect(update(before, after).remove).toBeUndefined();
  });

  it.each([
    ['a hold', failed, held, null],
    ['the last refused attempt', failed, dead, dead.settled_at],
    ['a later successful attempt', failed, applyAttempt(failed, attempt(2), 'delivered', null), START_MS + 10],
    ['a cancellation', failed, cancelDelivery(failed, START_MS), START_MS],
  ])(
    'after %s leaves the due index, and gets an expiry 30 days after it was settled, or none if it is not settled',
    (_, before, after, settledAtMs) => {
      const ttl = settledAtMs === null ? null : Math.ceil(settledAtMs / 1000) + 30 * DAY_SECONDS;

      expect(update(before, after)).toMatchObject({
        set: { due_pk: null, att_pk: attentionPkOf(id, after.status), ttl },
        remove: 'due_pk',
      });
    },
  );

  it('enters neither the due index nor the attention index when the first attempt succeeds', () => {
    const { set } = update(created, applyAttempt(created, attempt(1), 'delivered', null));

    expect(set).toMatchObject({ status: 'delivered', due_pk: null, att_pk: null });
  });

  it('has no attribute removed when a held delivery is cancelled, because a held delivery is not in the due index', () => {
    expect(update(held, cancelDelivery(held, START_MS)).remove).toBeUndefined();
  });

  it('loses `ttl` and `settled_at` and enters the due index when a settled delivery is redelivered', () => {
    const { set, remove, cleared } = update(dead, rescheduleDelivery(dead, 'manual', START_MS));

    expect(remove).toBe('ttl');
    expect(cleared).toEqual(['settled_at']);
    expect(set).toMatchObject({ status: 'pending', trigger: 'manual', due_pk: duePkOf(id), ttl: null });
  });

  it('stays delivered, without `ttl` and in the due index and the list of pending ones, while it is redelivered', () => {
    const again = rescheduleDelivery(delivered, 'replay', START_MS);
    const { set, remove, cleared } = update(delivered, again);

    expect(remove).toBe('ttl');
    expect(cleared).toEqual([]);
    expect(set).toMatchObject({ redelivery: 'waiting', due_pk: duePkOf(id), ttl: null });
    expect(set).toMatchObject({ att_pk: attentionPkOf(id, 'pending') });
    expect(set).not.toHaveProperty('status');
    expect(set).not.toHaveProperty('settled_at');
  });

  it('leaves the due index for the list of held ones, without `ttl`, when a redelivered delivered delivery is held', () => {
    const again = rescheduleDelivery(delivered, 'replay', START_MS);

    expect(update(again, holdDelivery(again))).toMatchObject({
      set: { redelivery: 'held', due_pk: null, att_pk: attentionPkOf(id, 'held'), ttl: null },
      remove: 'due_pk',
      cleared: [],
    });
  });

  it('gets its expiry 30 days after the last attempt, and `redelivery` null, when a redelivery ends with a refusal', () => {
    const again = rescheduleDelivery(delivered, 'manual', START_MS);
    const lateMs = START_MS + 29 * DAY_SECONDS * 1000;
    const after = applyAttempt(again, attempt(2, { started_at: lateMs }), 'refused', null);

    expect(update(again, after)).toMatchObject({
      set: {
        att_pk: attentionPkOf(id, 'delivered'),
        due_pk: null,
        ttl: Math.ceil((lateMs + 10) / 1000) + 30 * DAY_SECONDS,
      },
      remove: 'due_pk',
      cleared: ['redelivery'],
    });
  });

  it('of a new delivery of a test event has `test`', () => {
    const whk = drawId('whk', START_MS);

    expect(newDeliveryRow(newDelivery({ ...event, test_of: whk }, whk))).toMatchObject({ test: true });
  });

  it('has `parked` in every update after it was read as true, because the due sweep may have cleared it since', () => {
    expect(update(parked, { ...parked, ticket: parked.ticket + 1 }).set).toHaveProperty('parked', true);
    expect(update(failed, { ...failed, ticket: failed.ticket + 1 }).set).not.toHaveProperty('parked');
    expect(unparkUpdate(id, 7)).toEqual({ key: deliveryKey(id), set: { parked: false }, expected: { ticket: 7 } });
  });

  it('has `due_at` in every update, because a slot changes the due time in memory before the attempt', () => {
    const inSlot = { ...created, due_at: START_MS + 800 };

    expect(update(inSlot, applyAttempt(inSlot, attempt(1), 'delivered', null)).set).toHaveProperty(
      'due_at',
      START_MS + 800,
    );
  });

  it('does not have its last attempt, with the mark `has_body_row`, written again when the delivery is held', () => {
    const apart = { ...failed, last: attempt(1, { has_body_row: true }) };

    expect(update(apart, holdDelivery(apart)).set.last).toBeNull();
  });
});

describe('the rows of attempts', () => {
  it('include a new attempt with a response body of 301 bytes; the delivery row has `has_body_row` instead of this body', () => {
    const after = applyAttempt(created, attempt(1, { response_body: long }), 'refused', next);

    expect(attemptRows({ before: created, after }, 30)).toMatchObject([
      { kind: 'attempt', number: 1, response_body: long, ttl: (START_MS + 60_000) / 1000 + 44 * DAY_SECONDS },
    ]);
    expect(JSON.parse(String(update(created, after).set.last))).toMatchObject({ number: 1, has_body_row: true });
    expect(JSON.parse(String(update(created, after).set.last))).not.toHaveProperty('response_body');
  });

  it('include attempt 1 when attempt 2 replaces it in the row of the delivery', () => {
    const after = applyAttempt(failed, attempt(2), 'refused', next);

    expect(attemptRows({ before: failed, after }, 30)).toMatchObject([{ number: 1 }]);
  });

  it('do not include attempt 1 again if it already has a row because of its long response body', () => {
    const before = { ...failed, last: attempt(1, { has_body_row: true }) };

    expect(attemptRows({ before, after: applyAttempt(before, attempt(2), 'refused', next) }, 30)).toEqual([]);
  });
});
