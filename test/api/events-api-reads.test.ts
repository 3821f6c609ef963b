import { describe, expect, it } from 'vitest';
import { deliveryId, drawId } from '../../lambdas/domain/foundation/id.ts';
import type { Json } from '../helpers/api-call.ts';
import { aCaller } from '../helpers/api-caller.ts';
import { anAttempt, putDelivery, putWebhook, useEventsApi } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';

describe('the read calls of the events-api function', () => {
  const tables = useTables();
  const { api, current, publish, get, list } = useEventsApi(tables);

  const publishMany = async (count: number, overrides: (index: number) => object = () => ({})): Promise<string[]> => {
    const ids: string[] = [];
    for (let index = 0; index < count; index++) {
      const { json } = await publish({ type: 'pass.created', data: { index }, ...overrides(index) });
      ids.push(json.id);
    }
    return ids;
  };
  /** Reads all pages of the list. `afterFirstPage` runs between the first page and the second. */
  const listAll = async (query: string, afterFirstPage: () => Promise<unknown> = async () => {}): Promise<Json[]> => {
    const listed: Json[] = [];
    for (let cursor = '', pages = 0; ; pages++) {
      const { status, json } = await list(`${query}${cursor}`);
      expect(status).toBe(200);
      listed.push(...json.data);
      if (json.next_cursor === null) return listed;
      expect(pages).toBeLessThan(100);
      if (pages === 0) await afterFirstPage();
      cursor = `&cursor=${json.next_cursor}`;
    }
  };
  const idsOf = (events: readonly Json[]): string[] => events.map(({ id }) => id);

  describe('GET /events', () => {
    it('lists an event that was published with id, resource, meta and owner, with all of its fields', async () => {
      const meta = { code: 4713, message: 'Partly', details: [{ path: 'a' }], retryable: false };
      const sent = { type: 'calculate_rates', data: { a: [1] }, id: 'mine', resource: 'r', meta, owner: 'hotel-7' };
      const { json } = await publish(sent);

      const { id: publisher_id, ...rest } = sent;
      expect((await list()).json).toEqual({
        data: [
          { ...rest, publisher_id, id: json.id, created_at: json.created_at, sequence: null, payload_deleted_at: null },
        ],
        next_cursor: null,
      });
    });

    it('lists 23 events, with and without publisher ids, newest first and each once, and omits 5 events that arrive after the first page', async () => {
      const ids = await publishMany(23, (index) => (index % 3 ? {} : { id: `p-${index}` }));

      const listed = await listAll('limit=5', () => publishMany(5, (index) => ({ id: `later-${index}` })));

      expect(idsOf(listed).toSorted()).toEqual(ids.toSorted());
      const times = listed.map(({ created_at }) => created_at);
      expect(times).toEqual(times.toSorted().toReversed());
    });

    it('lists the 40 events of one batch, which share a millisecond, each exactly once in pages of 3', async () => {
      const events = Array.from({ length: 40 }, (_, index) => ({
        type: 'pass.created',
        data: {},
        ...(index % 2 ? { id: `p-${index}` } : {}),
      }));
      const { json } = await publish({ events });

      const listed = await listAll('limit=3');

      expect(listed).toHaveLength(40);
      expect(idsOf(listed).toSorted()).toEqual(idsOf(json.data).toSorted());
    });

    it('filters by type, by resource and by both', async () => {
      await publishMany(9, (index) => ({
        resource: index % 2 ? 'a' : 'b',
        ...(index % 3 ? {} : { id: `p-${index}` }),
      }));
      const [voidedId] = await publishMany(1, () => ({ type: 'pass.voided', resource: 'a' }));
      await publishMany(2);

      expect(idsOf(await listAll('type=pass.voided'))).toEqual([voidedId]);
      expect((await listAll('resource=a&limit=2')).map(({ resource }) => resource)).toEqual(Array(5).fill('a'));
      expect(await listAll('type=pass.created&resource=a')).toHaveLength(4);
      expect(await listAll('type=nope')).toEqual([]);
    });

    it('includes an event created at `since` and excludes an event created at `until`', async () => {
      const published: Json[] = [];
      for (let index = 0; index < 6; index++) {
        published.push(
          (await publish({ type: 'pass.created', data: {}, ...(index % 2 ? { id: `p-${index}` } : {}) })).json,
        );
        await new Promise((resolve) => setTimeout(resolve, 2));
      }

      const since = encodeURIComponent(published[2].created_at);
      const until = encodeURIComponent(published[4].created_at);
      expect(idsOf(await listAll(`since=${since}&until=${until}`))).toEqual([published[3].id, published[2].id]);
      expect(idsOf(await listAll(`since=${since}&limit=1`))).toHaveLength(4);
      expect(await listAll(`since=${until}&until=${since}`)).toEqual([]);
      expect(await listAll('since=1900-01-01T00:00:00Z&until=9999-12-31T23:59:59Z')).toHaveLength(6);
    });

    it('ends the first page below 3 MB for 14 events with 200 kB of data each, and the cursor leads to the other events', async () => {
      const text = '語'.repeat(66_667);
      await publishMany(14, (index) => ({ data: { text }, ...(index % 2 ? { id: `p-${index}` } : {}) }));

      const first = await list('limit=100');

      expect(Buffer.byteLength(first.text)).toBeLessThan(3_000_000);
      expect(first.json.next_cursor).not.toBeNull();
      expect(await listAll('limit=100')).toHaveLength(14);
    });

    const cursorOf = (text: string) => Buffer.from(text).toString('base64url');
    it.each([
      ['a limit that is not an integer', 'limit', 'limit=1.5'],
      ['a malformed cursor', 'cursor', 'cursor=none'],
      [
        'a cursor with an impossible time',
        'cursor',
        `cursor=${cursorOf('9999-99-99T99:99:99.999Z|evt_01JDB6Q80000000000000000AA')}`,
      ],
      [
        'a cursor without a time, whose event id contains no time either',
        'cursor',
        `cursor=${cursorOf('|evt_Z1JDB6Q80000000000000000AA')}`,
      ],
      ['a cursor with the id of a webhook', 'cursor', `cursor=${cursorOf('|whk_01JDB6Q80000000000000000AA')}`],
      ['a since that is not a time', 'since', 'since=yesterday'],
      ['an until that is not a time', 'until', 'until=1'],
      ['an empty type', 'type', 'type='],
      ['an empty resource', 'resource', 'resource='],
      ['an unknown parameter', 'colour', 'colour=red'],
      ['a repeated type', 'type', 'type=a&type=b'],
    ])('answers 422 to %s, and the first error names the parameter %s', async (_, path, query) => {
      await publishMany(1);

      const { status, json } = await list(query);

      expect(status).toBe(422);
      expect(json.errors[0].path).toContain(path);
    });
  });

  describe('GET /events/{id}', () => {
    it('shows the event, its failed delivery to an active webhook, and its delivery to a deleted webhook as cancelled', async () => {
      const { owner } = current.caller;
      const { json: event } = await publish({ type: 'task.accepted', data: { a: 1 }, id: 'mine' });
      const createdAtMs = Date.parse(event.created_at);
      const identity = { owner, eventId: event.id, createdAtMs };
      const active = await putWebhook(tables, aWebhook({ owner }));
      const deleted = await putWebhook(tables, aWebhook({ owner, deleted_at: '2126-11-22T00:00:00.000Z' }));
      await putWebhook(tables, aWebhook({ owner, events: ['task.created'] }));
      const failed = { status: 'failed', ticket: 2, step: 1, attempts_made: 1, last: anAttempt() } as const;
      await putDelivery(tables, { ...identity, webhookId: active.id }, { ...failed, due_at: createdAtMs + 60_000 });
      await putDelivery(tables, { ...identity, webhookId: deleted.id }, failed);

      const { status, json } = await get(event.id);

      const { deliveries, ...rest } = json;
      expect(status).toBe(200);
      expect(rest).toMatchObject({ ...event, data: { a: 1 }, resource: null, meta: null });
      const sharedFields = {
        event_id: event.id,
        event_type: 'task.accepted',
        created_at: event.created_at,
        http_status: 503,
      };
      expect(deliveries.toSorted((a: Json, b: Json) => (a.status > b.status ? -1 : 1))).toMatchObject([
        {
          ...sharedFields,
          id: deliveryId(createdAtMs, event.id, active.id),
          webhook_id: active.id,
          status: 'failed',
          attempts_made: 1,
          attempts_planned: 6,
          next_attempt_at: new Date(createdAtMs + 60_000).toISOString(),
        },
        {
          ...sharedFields,
          webhook_id: deleted.id,
          status: 'cancelled',
          attempts_planned: 1,
          next_attempt_at: null,
          settled_at: '2126-11-22T00:00:00.000Z',
        },
      ]);
    });

    it('shows the deliveries to 130 webhooks, more than one batch read returns', async () => {
      const { owner } = current.caller;
      const { json: event } = await publish({ type: 'task.accepted', data: {} });
      const identity = { owner, eventId: event.id, createdAtMs: Date.parse(event.created_at) };
      const webhooks = await Promise.all(Array.from({ length: 130 }, () => putWebhook(tables, aWebhook({ owner }))));
      await Promise.all(webhooks.map(({ id }) => putDelivery(tables, { ...identity, webhookId: id })));

      const { json } = await get(event.id);

      expect(new Set(json.deliveries.map(({ webhook_id }: Json) => webhook_id)).size).toBe(130);
    });

    it.each([
      ['a malformed id', 'evt_1'],
      ['an id that no event has', 'evt_01JDB6Q80000000000000000AA'],
      ['the id of a task', 'tsk_01JDB6Q80000000000000000AA'],
      ['two encoded dots', '%2e%2e'],
    ])('answers 404 to %s', async (_, id) => {
      expect((await get(id)).status).toBe(404);
    });

    it('answers 404 to an API key of another account', async () => {
      const [id] = await publishMany(1);

      expect((await api('GET', `/events/${id}`, await aCaller(tables))).status).toBe(404);
    });
  });

  it('POST /events answers 403 to a key with only events:read; GET /events and GET /events/{id} answer 403 to a key with only events:write', async () => {
    const reader = await aCaller(tables, { scopes: ['events:read'] });
    const writer = await aCaller(tables, { scopes: ['events:write'] });

    expect((await api('POST', '/events', reader, { body: {} })).status).toBe(403);
    expect((await api('GET', '/events', writer)).status).toBe(403);
    expect((await api('GET', `/events/${drawId('evt', 0)}`, writer)).status).toBe(403);
  });
});
