import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { routingKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { deliveryId, drawId } from '../../lambdas/domain/foundation/id.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import type { Json } from '../helpers/api-call.ts';
import { aCaller } from '../helpers/api-caller.ts';
import { putDelivery, putWebhook, useEventsApi } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';

describe('an event that was published', () => {
  const tables = useTables();
  const { api, current, publish, get, list, rows, eventRows } = useEventsApi(tables);
  const accepted = { type: 'task.accepted', data: { name: 'Ada' } };

  let event: Json;
  beforeEach(async () => {
    event = (await publish({ ...accepted, meta: { code: 200, message: 'OK' }, resource: 'room-1' })).json;
  });

  const want = async (over: Partial<StoredWebhook> = {}): Promise<StoredWebhook> => {
    const webhook = await putWebhook(tables, aWebhook({ owner: current.me.owner, ...over }));
    for (const type of webhook.events) {
      await tables.client.send(
        new UpdateItemCommand({
          TableName: tables.domainTable,
          Key: marshall(routingKey(webhook.owner, type)),
          UpdateExpression: 'ADD webhooks :entry',
          ExpressionAttributeValues: { ':entry': { SS: [`${webhook.id}|${webhook.resource ?? ''}`] } },
        }),
      );
    }
    return webhook;
  };
  const replay = (body?: unknown, headers = {}, id = event.id) =>
    api('POST', `/events/${id}/replay`, current.me, { body, headers });
  const commands = async () => (await rows()).filter(({ kind }) => kind === 'command');
  const idFor = (webhook: StoredWebhook) => deliveryId(Date.parse(event.created_at), event.id, webhook.id);

  describe('POST /events/{id}/replay', () => {
    it('goes again to each webhook that wants it now', async () => {
      const one = await want();
      const disabled = await want({ enabled: false, disabled_reason: 'manual' });
      const everything = await want({ events: ['*'] });
      await want({ resource: 'room-2' });
      await want({ events: ['task.created'] });

      const { status, json } = await replay();

      const wanted = [one, disabled, everything].map(idFor);
      expect(status).toBe(202);
      expect(json.event_id).toBe(event.id);
      expect(json.delivery_ids.toSorted()).toEqual(wanted.toSorted());
      expect(await commands()).toMatchObject([
        { type: 'redeliver', trigger: 'replay', delivery_ids: json.delivery_ids },
      ]);
    });

    it('goes to the one that is named, whatever that wants', async () => {
      await want();
      const named = await want({ events: ['task.created'] });

      const { json } = await replay({ webhook_id: named.id });

      expect(json.delivery_ids).toEqual([idFor(named)]);
    });

    it('goes to nobody where nobody wants it', async () => {
      expect((await replay()).json).toEqual({ event_id: event.id, delivery_ids: [] });
      expect(await commands()).toEqual([]);
    });

    it('is told 409 while the same replay is about to begin, and starts another later', async () => {
      const webhook = await want();
      const of = { owner: webhook.owner, webhookId: webhook.id, eventId: event.id };
      const first = await replay();

      expect((await replay()).status).toBe(409);
      await putDelivery(tables, { ...of, createdAtMs: Date.parse(event.created_at) }, { ticket: 2 });
      expect([first.status, (await replay()).status]).toEqual([202, 202]);
      expect(await commands()).toHaveLength(2);
    });

    it('answers a repeat under the same Idempotency-Key as it answered first', async () => {
      await want();
      const key = { 'idempotency-key': 'once' };

      const first = await replay(undefined, key);
      const again = await replay(undefined, key);

      expect([again.status, again.json, again.headers['idempotency-replayed']]).toEqual([202, first.json, 'true']);
      expect((await replay({ webhook_id: drawId('whk', 1) }, key)).status).toBe(422);
      expect(await commands()).toHaveLength(1);
    });

    it('refuses an unknown event, webhook and field', async () => {
      const foreign = await putWebhook(tables, aWebhook({ owner: 'acc_01JDB6Q80000000000000000AA#live' }));

      expect((await replay(undefined, {}, drawId('evt', Date.now()))).status).toBe(404);
      expect((await replay({ webhook_id: foreign.id })).status).toBe(404);
      expect((await replay({ webhook: foreign.id })).status).toBe(422);
      // No id at all, and what would be another thing's key.
      for (const webhook_id of ['', 'x'.repeat(2000), 'webhook-count', `${foreign.id}0`]) {
        expect((await replay({ webhook_id })).status).toBe(404);
      }
      const reader = await aCaller(tables, { accountId: current.me.accountId, scopes: ['events:read'] });
      expect((await api('POST', `/events/${event.id}/replay`, reader)).status).toBe(403);
    });
  });

  describe('DELETE /events/{id}/payload', () => {
    const forget = (id = event.id) => api('DELETE', `/events/${id}/payload`, current.me);

    it('takes the body away and leaves the fact', async () => {
      const { status, text } = await forget();

      expect([status, text]).toEqual([204, '']);
      const { json } = await get(event.id);
      expect(json).toMatchObject({ ...event, resource: 'room-1', data: null, meta: null, deliveries: [] });
      expect(Date.parse(json.payload_deleted_at)).toBeGreaterThan(0);
      expect((await list()).json.data).toMatchObject([{ id: event.id, data: null }]);
      expect(JSON.stringify(await eventRows())).not.toContain('Ada');
    });

    it('changes nothing the second time', async () => {
      await forget();
      const { json } = await get(event.id);

      expect((await forget()).status).toBe(204);
      expect((await get(event.id)).json).toEqual(json);
    });

    it('leaves nothing to replay', async () => {
      await want();
      await forget();

      expect((await replay()).status).toBe(409);
    });

    it('lets the publisher repeat what it published', async () => {
      const sent = { ...accepted, id: 'order-1' };
      const first = await publish(sent);
      await forget(first.json.id);

      expect((await publish(sent)).json).toEqual(first.json);
      expect((await get(first.json.id)).json.data).toBeNull();
    });

    it('answers 404 where there is no such event', async () => {
      expect((await forget(drawId('evt', Date.now()))).status).toBe(404);
      expect((await api('DELETE', `/events/${event.id}/payload`, await aCaller(tables))).status).toBe(404);
    });
  });
});
