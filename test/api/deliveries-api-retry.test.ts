import { describe, expect, it } from 'vitest';
import type { StoredDelivery } from '../../lambdas/domain/deliveries/delivery.ts';
import type { StoredEvent } from '../../lambdas/domain/events/event.ts';
import { aCaller } from '../helpers/api-caller.ts';
import { useDeliveriesApi } from '../helpers/deliveries-api.ts';
import { anAttempt, putWebhook } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent } from '../helpers/virtual-engine.ts';

describe('POST /deliveries/{id}/retry', () => {
  const tables = useTables();
  const { api, current, addDelivery, addEvent, rowsOfKind } = useDeliveriesApi(tables);

  const startMs = Date.now() - 3_600_000;
  const dead = {
    status: 'dead',
    ticket: 7,
    step: 5,
    attempts_made: 6,
    settled_at: startMs,
    last: anAttempt({ number: 6 }),
  } as const;
  const deliveredTwice = {
    status: 'delivered',
    ticket: 4,
    attempts_made: 2,
    settled_at: startMs,
    redelivery: 'waiting',
    trigger: 'schedule',
  } as const;
  const addDeliveryAndEvent = async (
    overrides: Partial<StoredDelivery> = dead,
    eventOverrides: Partial<StoredEvent> = {},
  ) => {
    const event = anEvent({ owner: current.caller.owner, ...eventOverrides }, startMs);
    await addEvent(event);
    return addDelivery(startMs, overrides, event.id);
  };
  const retry = (id: string, headers = {}, sentBy = current.caller) =>
    api('POST', `/deliveries/${id}/retry`, sentBy, { headers });
  const commands = () => rowsOfKind('command');

  it('answers 202 for a dead delivery, shows the delivery as pending with one more planned attempt, and submits one redeliver command', async () => {
    const { id, event_id } = await addDeliveryAndEvent();

    const { status, json } = await retry(id);

    expect(status).toBe(202);
    expect(json).toMatchObject({ id, status: 'pending', attempts_made: 6, attempts_planned: 7, settled_at: null });
    expect(Date.parse(json.next_attempt_at)).toBeGreaterThan(startMs);
    expect(await commands()).toMatchObject([{ type: 'redeliver', trigger: 'manual', event_id, delivery_ids: [id] }]);
  });

  it.each([
    ['delivered', 202, { status: 'delivered', ticket: 2, attempts_made: 1, settled_at: startMs }],
    ['cancelled', 202, { status: 'cancelled', ticket: 2, settled_at: startMs }],
    ['pending and overdue by an hour', 202, {}],
    ['failed and overdue by an hour', 202, { status: 'failed', ticket: 2, attempts_made: 1 }],
    ['failed and due in an hour', 202, { status: 'failed', ticket: 2, attempts_made: 1, due_at: startMs + 7_200_000 }],
    ['delivered and due again', 202, { ...deliveredTwice, due_at: startMs + 7_200_000 }],
    ['held', 409, { status: 'held', ticket: 2 }],
    ['delivered and held', 409, { ...deliveredTwice, redelivery: 'held' }],
  ] as const)('for a delivery that is %s, answers %i', async (_, expected, overrides) => {
    const { id } = await addDeliveryAndEvent(overrides);

    expect((await retry(id)).status).toBe(expected);
  });

  it.each([
    ['pending', {}, 500],
    ['pending', {}, -31_000],
    ['failed', { status: 'failed', ticket: 2, attempts_made: 1 }, -5000],
    ['delivered and due again', deliveredTwice, -5000],
  ] as const)(
    'answers 409 for a delivery that is %s, and submits no command, if its attempt is due in %i ms',
    async (_, overrides, dueInMs) => {
      const { id } = await addDeliveryAndEvent({ ...overrides, due_at: Date.now() + dueInMs });

      const { status, json } = await retry(id);

      expect([status, json.detail]).toEqual([409, 'An attempt is under way.']);
      expect(await commands()).toEqual([]);
    },
  );

  it('answers 202 for a failed delivery with the same status, step and number of planned attempts, due now', async () => {
    const waiting = { status: 'failed', ticket: 3, step: 1, attempts_made: 1, due_at: Date.now() + 300_000 } as const;
    const { id } = await addDeliveryAndEvent(waiting);
    const shown = (await api('GET', `/deliveries/${id}`, current.caller)).json;

    const { status, json } = await retry(id);

    expect(status).toBe(202);
    expect(json).toMatchObject({ status: 'failed', attempts_planned: shown.attempts_planned, settled_at: null });
    expect(Date.parse(json.next_attempt_at)).toBeLessThan(waiting.due_at);
    expect(await commands()).toMatchObject([{ trigger: 'manual', attempts_made: 1, delivery_ids: [id] }]);
  });

  it('answers 202 for a delivered delivery and shows the delivery as delivered, with one more planned attempt', async () => {
    const { id } = await addDeliveryAndEvent({ status: 'delivered', ticket: 2, attempts_made: 1, settled_at: startMs });

    const { json } = await retry(id);

    expect(json).toMatchObject({
      status: 'delivered',
      attempts_made: 1,
      attempts_planned: 2,
      settled_at: new Date(startMs).toISOString(),
    });
    expect(Date.parse(json.next_attempt_at)).toBeGreaterThan(startMs);
  });

  it('answers 202 to one of two simultaneous calls and 409 to the other call, and submits one command', async () => {
    const { id } = await addDeliveryAndEvent();

    const answers = await Promise.all([retry(id), retry(id)]);

    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409]);
    expect(await commands()).toHaveLength(1);
  });

  it('answers 202 with the first body to a second call with the same Idempotency-Key, and submits one command', async () => {
    const { id } = await addDeliveryAndEvent();
    const key = { 'idempotency-key': 'once' };

    const first = await retry(id, key);
    const again = await retry(id, key);

    expect([again.status, again.json]).toEqual([202, first.json]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await commands()).toHaveLength(1);
  });

  it('answers 409 and submits no command when the payload of the event is erased or the webhook is deleted', async () => {
    const erased = await addDeliveryAndEvent(dead, { data: 'null', payload_deleted_at: new Date().toISOString() });
    const { id } = await addDeliveryAndEvent();
    await putWebhook(tables, { ...current.webhook, deleted_at: new Date().toISOString() });

    expect((await retry(erased.id)).status).toBe(409);
    expect((await retry(id)).status).toBe(409);
    expect(await commands()).toEqual([]);
  });

  it('answers 404 for an unknown id and to a key of another account, 403 to a key with only webhooks:read, and 405 to GET', async () => {
    const { id } = await addDeliveryAndEvent();
    const unknownId = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`;

    expect((await retry(id, {}, await aCaller(tables))).status).toBe(404);
    expect((await retry(unknownId)).status).toBe(404);
    expect((await retry(id, {}, await aCaller(tables, { scopes: ['webhooks:read'] }))).status).toBe(403);
    expect((await api('GET', `/deliveries/${id}/retry`, current.caller)).status).toBe(405);
  });
});
