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
    ['pending', 409, {}],
    ['failed', 409, { status: 'failed', ticket: 2, attempts_made: 1 }],
    ['held', 409, { status: 'held', ticket: 2 }],
  ] as const)('for a delivery with the status %s, answers %i', async (_, expected, overrides) => {
    const { id } = await addDeliveryAndEvent(overrides);

    expect((await retry(id)).status).toBe(expected);
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
