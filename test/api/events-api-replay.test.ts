import { beforeEach, describe, expect, it } from 'vitest';
import { executeStatements, insertStatement } from '../../lambdas/adapters/aws/statements.ts';
import { eventKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { deliveryId, drawId } from '../../lambdas/domain/foundation/id.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import type { Json } from '../helpers/api-call.ts';
import { aCaller } from '../helpers/api-caller.ts';
import { putDelivery, putWebhook, useEventsApi } from '../helpers/events-api.ts';
import { putRouting } from '../helpers/routing-rows.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, aWebhook } from '../helpers/virtual-engine.ts';

describe('replay and erasure of a published event', () => {
  const tables = useTables();
  const { api, current, publish, get, list, rows, eventRows } = useEventsApi(tables);
  const accepted = { type: 'task.accepted', data: { name: 'Ada' } };

  let event: Json;
  beforeEach(async () => {
    event = (await publish({ ...accepted, meta: { code: 200, message: 'OK' }, resource: 'room-1' })).json;
  });

  /** Stores a webhook of the account with the routes of its event types. */
  const subscribe = async (overrides: Partial<StoredWebhook> = {}): Promise<StoredWebhook> => {
    const webhook = await putWebhook(tables, aWebhook({ owner: current.caller.owner, ...overrides }));
    for (const type of webhook.events) {
      await putRouting(tables, webhook.owner, type, [`${webhook.id}|${webhook.resource ?? ''}`]);
    }
    return webhook;
  };
  const replay = (body?: unknown, headers = {}, id = event.id) =>
    api('POST', `/events/${id}/replay`, current.caller, { body, headers });
  const commands = async () => (await rows()).filter(({ kind }) => kind === 'command');
  const deliveryIdFor = (webhook: StoredWebhook) => deliveryId(Date.parse(event.created_at), event.id, webhook.id);

  describe('POST /events/{id}/replay', () => {
    it('answers 202 with a delivery id for each webhook that wants the event now, also a disabled webhook, and submits one redeliver command', async () => {
      const enabled = await subscribe();
      const disabled = await subscribe({ enabled: false, disabled_reason: 'manual' });
      const everything = await subscribe({ events: ['*'] });
      await subscribe({ resource: 'room-2' });
      await subscribe({ events: ['task.created'] });

      const { status, json } = await replay();

      const expectedIds = [enabled, disabled, everything].map(deliveryIdFor);
      expect(status).toBe(202);
      expect(json.event_id).toBe(event.id);
      expect(json.delivery_ids.toSorted()).toEqual(expectedIds.toSorted());
      expect(await commands()).toMatchObject([
        { type: 'redeliver', trigger: 'replay', delivery_ids: json.delivery_ids },
      ]);
    });

    it('answers with the delivery id of only the webhook in webhook_id, even when that webhook does not want the event type', async () => {
      await subscribe();
      const named = await subscribe({ events: ['task.created'] });

      const { json } = await replay({ webhook_id: named.id });

      expect(json.delivery_ids).toEqual([deliveryIdFor(named)]);
    });

    it('of a test event to another webhook submits a command with test: true; of an ordinary event, a command without it', async () => {
      const [tested, other] = [await subscribe(), await subscribe()];
      const sample = anEvent({ owner: current.caller.owner, test_of: tested.id });
      const row = { ...sample, ...eventKey(sample.owner, sample.id), kind: 'event' };
      await executeStatements(tables.client, [insertStatement(tables.domainTable, row)]);

      await replay({ webhook_id: other.id }, {}, sample.id);
      await replay({ webhook_id: other.id });

      const markOf = new Map((await commands()).map(({ event_id, test }) => [event_id, test]));
      expect([markOf.get(sample.id), markOf.get(event.id)]).toEqual([true, undefined]);
    });

    it('answers without delivery ids and submits no command when no webhook wants the event', async () => {
      expect((await replay()).json).toEqual({ event_id: event.id, delivery_ids: [] });
      expect(await commands()).toEqual([]);
    });

    it('answers 409 to a second replay before the first replay has started its delivery, and 202 afterwards', async () => {
      const webhook = await subscribe();
      const identity = { owner: webhook.owner, webhookId: webhook.id, eventId: event.id };
      const first = await replay();

      expect((await replay()).status).toBe(409);
      await putDelivery(tables, { ...identity, createdAtMs: Date.parse(event.created_at) }, { ticket: 2 });
      expect([first.status, (await replay()).status]).toEqual([202, 202]);
      expect(await commands()).toHaveLength(2);
    });

    it('repeats its first 202 answer to a second call with the same Idempotency-Key, and answers 422 to another body with that key', async () => {
      await subscribe();
      const key = { 'idempotency-key': 'once' };

      const first = await replay(undefined, key);
      const again = await replay(undefined, key);

      expect([again.status, again.json, again.headers['idempotency-replayed']]).toEqual([202, first.json, 'true']);
      expect((await replay({ webhook_id: drawId('whk', 1) }, key)).status).toBe(422);
      expect(await commands()).toHaveLength(1);
    });

    it('answers 404 for an unknown event and for a foreign or malformed webhook_id, 422 to an unknown field, and 403 without events:write', async () => {
      const foreign = await putWebhook(tables, aWebhook({ owner: 'acc_01JDB6Q80000000000000000AA#live' }));

      expect((await replay(undefined, {}, drawId('evt', Date.now()))).status).toBe(404);
      expect((await replay({ webhook_id: foreign.id })).status).toBe(404);
      expect((await replay({ webhook: foreign.id })).status).toBe(422);
      // Malformed ids; `webhook-count` is the key of another kind of row.
      for (const webhook_id of ['', 'x'.repeat(2000), 'webhook-count', `${foreign.id}0`]) {
        expect((await replay({ webhook_id })).status).toBe(404);
      }
      const reader = await aCaller(tables, { accountId: current.caller.accountId, scopes: ['events:read'] });
      expect((await api('POST', `/events/${event.id}/replay`, reader)).status).toBe(403);
    });
  });

  describe('DELETE /events/{id}/payload', () => {
    const erasePayload = (id = event.id) => api('DELETE', `/events/${id}/payload`, current.caller);

    it('answers 204, sets data and meta of the event to null, leaves its other fields, and no event row contains the data any more', async () => {
      const { status, text } = await erasePayload();

      expect([status, text]).toEqual([204, '']);
      const { json } = await get(event.id);
      expect(json).toMatchObject({ ...event, resource: 'room-1', data: null, meta: null, deliveries: [] });
      expect(Date.parse(json.payload_deleted_at)).toBeGreaterThan(0);
      expect((await list()).json.data).toMatchObject([{ id: event.id, data: null }]);
      expect(JSON.stringify(await eventRows())).not.toContain('Ada');
    });

    it('answers 204 to a second call and changes nothing', async () => {
      await erasePayload();
      const { json } = await get(event.id);

      expect((await erasePayload()).status).toBe(204);
      expect((await get(event.id)).json).toEqual(json);
    });

    it('afterwards, POST /events/{id}/replay for the event answers 409', async () => {
      await subscribe();
      await erasePayload();

      expect((await replay()).status).toBe(409);
    });

    it('afterwards, a repeat of POST /events with the same publisher id gets the first answer, and the data stays null', async () => {
      const sent = { ...accepted, id: 'order-1' };
      const first = await publish(sent);
      await erasePayload(first.json.id);

      expect((await publish(sent)).json).toEqual(first.json);
      expect((await get(first.json.id)).json.data).toBeNull();
    });

    it('answers 404 for an unknown event id and to a key of another account', async () => {
      expect((await erasePayload(drawId('evt', Date.now()))).status).toBe(404);
      expect((await api('DELETE', `/events/${event.id}/payload`, await aCaller(tables))).status).toBe(404);
    });
  });
});
