import { describe, expect, it } from 'vitest';
import { deliveryId, drawId } from '../../lambdas/domain/foundation/id.ts';
import type { Json } from '../helpers/api-call.ts';
import { aCaller } from '../helpers/api-caller.ts';
import { anAttempt, putDelivery, putWebhook, useEventsApi } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';

describe('the events-api function reading', () => {
  const tables = useTables();
  const { api, current, publish, get, list } = useEventsApi(tables);

  const publishSome = async (count: number, over: (index: number) => object = () => ({})): Promise<string[]> => {
    const ids: string[] = [];
    for (let index = 0; index < count; index++) {
      const { json } = await publish({ type: 'pass.created', data: { index }, ...over(index) });
      ids.push(json.id);
    }
    return ids;
  };
  /** All pages of a list, with what was done after the first. */
  const walk = async (query: string, between: () => Promise<unknown> = async () => {}): Promise<Json[]> => {
    const seen: Json[] = [];
    for (let cursor = '', pages = 0; ; pages++) {
      const { status, json } = await list(`${query}${cursor}`);
      expect(status).toBe(200);
      seen.push(...json.data);
      if (json.next_cursor === null) return seen;
      expect(pages).toBeLessThan(100);
      if (pages === 0) await between();
      cursor = `&cursor=${json.next_cursor}`;
    }
  };
  const idsOf = (events: readonly Json[]): string[] => events.map(({ id }) => id);

  describe('GET /events', () => {
    it('shows what was published', async () => {
      const meta = { code: 4713, message: 'Partly', details: [{ path: 'a' }], retryable: false };
      const sent = { type: 'calculate_rates', data: { a: [1] }, id: 'mine', resource: 'r', meta };
      const { json } = await publish(sent);

      const { id: publisher_id, ...rest } = sent;
      expect((await list()).json).toEqual({
        data: [
          { ...rest, publisher_id, id: json.id, created_at: json.created_at, sequence: null, payload_deleted_at: null },
        ],
        next_cursor: null,
      });
    });

    it('lists newest first, with and without own ids, each exactly once while others arrive', async () => {
      const ids = await publishSome(23, (index) => (index % 3 ? {} : { id: `p-${index}` }));

      const seen = await walk('limit=5', () => publishSome(5, (index) => ({ id: `later-${index}` })));

      expect(idsOf(seen).toSorted()).toEqual(ids.toSorted());
      const times = seen.map(({ created_at }) => created_at);
      expect(times).toEqual(times.toSorted().toReversed());
    });

    it('lists those of one millisecond, each exactly once', async () => {
      const events = Array.from({ length: 40 }, (_, index) => ({
        type: 'pass.created',
        data: {},
        ...(index % 2 ? { id: `p-${index}` } : {}),
      }));
      const { json } = await publish({ events });

      const seen = await walk('limit=3');

      expect(seen).toHaveLength(40);
      expect(idsOf(seen).toSorted()).toEqual(idsOf(json.data).toSorted());
    });

    it('filters by type and resource', async () => {
      await publishSome(9, (index) => ({
        resource: index % 2 ? 'a' : 'b',
        ...(index % 3 ? {} : { id: `p-${index}` }),
      }));
      const [wanted] = await publishSome(1, () => ({ type: 'pass.voided', resource: 'a' }));
      await publishSome(2);

      expect(idsOf(await walk('type=pass.voided'))).toEqual([wanted]);
      expect((await walk('resource=a&limit=2')).map(({ resource }) => resource)).toEqual(Array(5).fill('a'));
      expect(await walk('type=pass.created&resource=a')).toHaveLength(4);
      expect(await walk('type=nope')).toEqual([]);
    });

    it('takes since as the first and until as past the last', async () => {
      const made: Json[] = [];
      for (let index = 0; index < 6; index++) {
        made.push((await publish({ type: 'pass.created', data: {}, ...(index % 2 ? { id: `p-${index}` } : {}) })).json);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }

      const since = encodeURIComponent(made[2].created_at);
      const until = encodeURIComponent(made[4].created_at);
      expect(idsOf(await walk(`since=${since}&until=${until}`))).toEqual([made[3].id, made[2].id]);
      expect(idsOf(await walk(`since=${since}&limit=1`))).toHaveLength(4);
      expect(await walk(`since=${until}&until=${since}`)).toEqual([]);
      expect(await walk('since=1900-01-01T00:00:00Z&until=9999-12-31T23:59:59Z')).toHaveLength(6);
    });

    it('closes a page before it grows too large to be answered', async () => {
      const text = '語'.repeat(66_667);
      await publishSome(14, (index) => ({ data: { text }, ...(index % 2 ? { id: `p-${index}` } : {}) }));

      const first = await list('limit=100');

      expect(Buffer.byteLength(first.text)).toBeLessThan(3_000_000);
      expect(first.json.next_cursor).not.toBeNull();
      expect(await walk('limit=100')).toHaveLength(14);
    });

    const cursorOf = (text: string) => Buffer.from(text).toString('base64url');
    it.each([
      ['limit', 'limit=1.5'],
      ['cursor', 'cursor=none'],
      ['cursor', `cursor=${cursorOf('9999-99-99T99:99:99.999Z|evt_01JDB6Q80000000000000000AA')}`],
      ['cursor', `cursor=${cursorOf('|evt_Z1JDB6Q80000000000000000AA')}`],
      ['cursor', `cursor=${cursorOf('|whk_01JDB6Q80000000000000000AA')}`],
      ['since', 'since=yesterday'],
      ['until', 'until=1'],
      ['type', 'type='],
      ['resource', 'resource='],
      ['colour', 'colour=red'],
      ['type', 'type=a&type=b'],
    ])('refuses a wrong %s: %s', async (path, query) => {
      await publishSome(1);

      const { status, json } = await list(query);

      expect(status).toBe(422);
      expect(json.errors[0].path).toContain(path);
    });
  });

  describe('GET /events/{id}', () => {
    it('shows the event with its deliveries, of deleted webhooks too', async () => {
      const { owner } = current.me;
      const { json: event } = await publish({ type: 'task.accepted', data: { a: 1 }, id: 'mine' });
      const of = { owner, eventId: event.id, createdAtMs: Date.parse(event.created_at) };
      const living = await putWebhook(tables, aWebhook({ owner }));
      const deleted = await putWebhook(tables, aWebhook({ owner, deleted_at: '2026-11-22T00:00:00.000Z' }));
      await putWebhook(tables, aWebhook({ owner, events: ['task.created'] }));
      const failed = { status: 'failed', ticket: 2, step: 1, attempts_made: 1, last: anAttempt() } as const;
      await putDelivery(tables, { ...of, webhookId: living.id }, { ...failed, due_at: of.createdAtMs + 60_000 });
      await putDelivery(tables, { ...of, webhookId: deleted.id }, failed);

      const { status, json } = await get(event.id);

      const { deliveries, ...rest } = json;
      expect(status).toBe(200);
      expect(rest).toMatchObject({ ...event, data: { a: 1 }, resource: null, meta: null });
      const same = { event_id: event.id, event_type: 'task.accepted', created_at: event.created_at, http_status: 503 };
      expect(deliveries.toSorted((a: Json, b: Json) => (a.status > b.status ? -1 : 1))).toMatchObject([
        {
          ...same,
          id: deliveryId(of.createdAtMs, event.id, living.id),
          webhook_id: living.id,
          status: 'failed',
          attempts_made: 1,
          attempts_planned: 6,
          next_attempt_at: new Date(of.createdAtMs + 60_000).toISOString(),
        },
        {
          ...same,
          webhook_id: deleted.id,
          status: 'cancelled',
          attempts_planned: 1,
          next_attempt_at: null,
          settled_at: '2026-11-22T00:00:00.000Z',
        },
      ]);
    });

    it('finds the deliveries among more webhooks than one call reads', async () => {
      const { owner } = current.me;
      const { json: event } = await publish({ type: 'task.accepted', data: {} });
      const of = { owner, eventId: event.id, createdAtMs: Date.parse(event.created_at) };
      const webhooks = await Promise.all(Array.from({ length: 130 }, () => putWebhook(tables, aWebhook({ owner }))));
      await Promise.all(webhooks.map(({ id }) => putDelivery(tables, { ...of, webhookId: id })));

      const { json } = await get(event.id);

      expect(new Set(json.deliveries.map(({ webhook_id }: Json) => webhook_id)).size).toBe(130);
    });

    it.each(['evt_1', 'evt_01JDB6Q80000000000000000AA', 'tsk_01JDB6Q80000000000000000AA', '%2e%2e'])(
      'answers 404 to %s',
      async (id) => {
        expect((await get(id)).status).toBe(404);
      },
    );

    it("answers 404 to another account's", async () => {
      const [id] = await publishSome(1);

      expect((await api('GET', `/events/${id}`, await aCaller(tables))).status).toBe(404);
    });
  });

  it('asks for scopes', async () => {
    const reader = await aCaller(tables, { scopes: ['events:read'] });
    const writer = await aCaller(tables, { scopes: ['events:write'] });

    expect((await api('POST', '/events', reader, { body: {} })).status).toBe(403);
    expect((await api('GET', '/events', writer)).status).toBe(403);
    expect((await api('GET', `/events/${drawId('evt', 0)}`, writer)).status).toBe(403);
  });
});
