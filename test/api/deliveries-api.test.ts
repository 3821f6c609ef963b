import { describe, expect, it } from 'vitest';
import { executeStatements, insertStatement } from '../../lambdas/adapters/aws/statements.ts';
import { deliveryKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { StoredDelivery } from '../../lambdas/domain/deliveries/delivery.ts';
import { deliveryId, deriveId, drawId } from '../../lambdas/domain/foundation/id.ts';
import type { Json } from '../helpers/api-call.ts';
import { aCaller } from '../helpers/api-caller.ts';
import { foreignOwner, useDeliveriesApi } from '../helpers/deliveries-api.ts';
import { anAttempt, putAttempt } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent } from '../helpers/virtual-engine.ts';

const START_MS = Date.parse('2026-11-20T10:00:00.000Z');

describe('the deliveries-api function', () => {
  const tables = useTables();
  const { api, current, addWebhook, addDelivery, addEvent } = useDeliveriesApi(tables);

  const get = (id: string, sentBy = current.caller) => api('GET', `/deliveries/${id}`, sentBy);
  const list = (query = '', id = current.webhook.id) =>
    api('GET', `/webhooks/${id}/deliveries`, current.caller, { query });
  /** Stores a delivery that was created `index` seconds after START_MS. */
  const deliver = (index: number, overrides: Partial<StoredDelivery> & { ttl?: number } = {}, eventId?: string) =>
    addDelivery(START_MS + index * 1000, overrides, eventId);
  /** Reads all pages of the list. */
  const listAll = async (query: string): Promise<Json[]> => {
    const listed: Json[] = [];
    for (let cursor = ''; ; ) {
      const { status, json } = await list(`${query}${cursor}`);
      expect(status).toBe(200);
      listed.push(...json.data);
      if (json.next_cursor === null) return listed;
      cursor = `&cursor=${json.next_cursor}`;
    }
  };
  const idsOf = (deliveries: readonly Json[]): string[] => deliveries.map(({ id }) => id);

  describe('GET /webhooks/{id}/deliveries', () => {
    it('shows every field of a failed delivery, with 6 planned attempts, the time of the next attempt and the last answer of the receiver', async () => {
      const due = START_MS + 60_000;
      const failed = await deliver(0, {
        status: 'failed',
        ticket: 2,
        step: 2,
        attempts_made: 2,
        due_at: due,
        last: anAttempt({ number: 2 }),
      });

      expect((await list()).json).toEqual({
        data: [
          {
            id: failed.id,
            webhook_id: current.webhook.id,
            event_id: failed.event_id,
            event_type: 'task.accepted',
            status: 'failed',
            attempts_made: 2,
            attempts_planned: 6,
            next_attempt_at: new Date(due).toISOString(),
            created_at: new Date(START_MS).toISOString(),
            test: false,
            settled_at: null,
            http_status: 503,
            response_body: 'busy',
            error: { code: 'refused_status', message: 'The receiver answered 503.' },
          },
        ],
        next_cursor: null,
      });
    });

    const due = 'a next attempt and no settled time';
    const held = 'no next attempt and no settled time';
    const done = 'no next attempt and a settled time';
    it.each([
      ['pending', 6, due, { status: 'pending' }, true, false],
      ['held', 6, held, { status: 'held', ticket: 2, step: 1, attempts_made: 1 }, false, false],
      ['delivered', 1, done, { status: 'delivered', ticket: 2, attempts_made: 1, settled_at: START_MS }, false, true],
      ['dead', 6, done, { status: 'dead', ticket: 7, step: 5, attempts_made: 6, settled_at: START_MS }, false, true],
      ['manually retried', 2, due, { status: 'pending', trigger: 'manual', ticket: 3, attempts_made: 1 }, true, false],
    ] as const)(
      'shows a %s delivery with attempts_planned %i, %s',
      async (_, planned, _shown, overrides, isDue, isSettled) => {
        await deliver(0, overrides);

        const [shown] = (await list()).json.data;

        expect(shown.attempts_planned).toBe(planned);
        expect(shown.next_attempt_at !== null).toBe(isDue);
        expect(shown.settled_at !== null).toBe(isSettled);
      },
    );

    it('shows 2 planned attempts for a webhook whose schedule has one wait, and 10 for a webhook with the schedule standard', async () => {
      current.webhook = await addWebhook({ schedule: [1] });
      await deliver(0);
      expect((await list()).json.data[0].attempts_planned).toBe(2);

      current.webhook = await addWebhook({ schedule: 'standard' });
      await deliver(0);
      expect((await list()).json.data[0].attempts_planned).toBe(10);
    });

    it('shows a response body of 2,000 characters that is stored in the row of the attempt', async () => {
      const last = anAttempt({ response_body: null, has_body_row: true });
      const { id } = await deliver(0, { status: 'dead', ticket: 2, attempts_made: 1, last });
      await putAttempt(tables, id, anAttempt({ response_body: 'x'.repeat(2000) }));

      expect((await list()).json.data[0].response_body).toBe('x'.repeat(2000));
    });

    it('lists 30 deliveries of different shards newest first, each exactly once, in pages of 7', async () => {
      const created = await Promise.all(Array.from({ length: 30 }, (_, index) => deliver(index)));

      const listed = await listAll('limit=7');

      expect(idsOf(listed)).toEqual(created.map(({ id }) => id).toReversed());
    });

    it('filters by status, event_type, since (inclusive) and until (exclusive), alone and combined', async () => {
      const statuses = ['pending', 'failed', 'delivered', 'dead', 'held', 'cancelled'] as const;
      const created = await Promise.all(
        Array.from({ length: 24 }, (_, index) => {
          const status = statuses[index % 6] ?? 'pending';
          // Every second delivery with the status delivered was refused before.
          const ticket = status === 'pending' || (status === 'delivered' && index % 12 === 2) ? 1 : 3;
          return deliver(index, { status, ticket, event_type: index < 12 ? 'task.created' : 'task.accepted' });
        }),
      );
      const idsWhere = (matches: (index: number) => boolean) =>
        created.flatMap(({ id }, index) => (matches(index) ? [id] : [])).toReversed();

      for (const [statusIndex, status] of statuses.entries()) {
        expect(idsOf(await listAll(`status=${status}&limit=3`))).toEqual(
          idsWhere((index) => index % 6 === statusIndex),
        );
      }
      expect(idsOf(await listAll('event_type=task.created&limit=5'))).toEqual(idsWhere((index) => index < 12));
      expect(idsOf(await listAll('status=dead&event_type=task.accepted'))).toEqual(
        idsWhere((index) => index >= 12 && index % 6 === 3),
      );
      const since = new Date(START_MS + 5000).toISOString();
      const until = new Date(START_MS + 15_000).toISOString();
      expect(idsOf(await listAll(`since=${since}&until=${until}&limit=4`))).toEqual(
        idsWhere((index) => index >= 5 && index < 15),
      );
      expect(idsOf(await listAll(`status=failed&since=${since}`))).toEqual(
        idsWhere((index) => index >= 5 && index % 6 === 1),
      );
      expect(await listAll(`since=${until}&until=${since}`)).toEqual([]);
    });

    it('shows an empty first page with a cursor when 1,300 newer deliveries do not match the filter, and a later page has the only match', async () => {
      const oldest = await deliver(0, { event_type: 'task.created' });
      const newer = Array.from({ length: 1300 }, (_, index) => {
        const id = deliveryId(START_MS + 1 + index, 'any', current.webhook.id);
        return { ...oldest, ...deliveryKey(id), id, event_type: 'task.accepted', kind: 'delivery' };
      });
      await executeStatements(
        tables.client,
        newer.map((row) => insertStatement(tables.deliveryTable, row)),
      );

      const first = await list('event_type=task.created');

      expect(first.json.data).toEqual([]);
      expect(first.json.next_cursor).not.toBeNull();
      expect(idsOf(await listAll('event_type=task.created'))).toEqual([oldest.id]);
    });

    it('filters by event_id, for an event published with an id of the publisher and for an event published without such an id', async () => {
      const { owner } = current.caller;
      const generated = await deliver(0);
      const event = anEvent({ owner, id: deriveId('evt', owner, 'mine') }, START_MS + 1000);
      await addEvent(event);
      const derived = await deliver(1, {}, event.id);

      expect(idsOf(await listAll(`event_id=${generated.event_id}`))).toEqual([generated.id]);
      expect(idsOf(await listAll(`event_id=${event.id}`))).toEqual([derived.id]);
      expect(await listAll(`event_id=${event.id}&status=dead`)).toEqual([]);
      expect(await listAll(`event_id=${drawId('evt', START_MS)}`)).toEqual([]);
      expect(await listAll(`event_id=${deriveId('evt', 'nobody')}`)).toEqual([]);
    });

    it('omits a delivery whose ttl has passed', async () => {
      await deliver(0, { status: 'delivered', settled_at: START_MS, ttl: Math.floor(Date.now() / 1000) - 60 });

      expect((await list()).json.data).toEqual([]);
    });

    it.each([
      ['status', 'status=lost'],
      ['event_type', 'event_type='],
      ['event_id', 'event_id=1'],
      ['since', 'since=now'],
      ['until', 'until=2026-13-01T00:00:00Z'],
      ['limit', 'limit=0'],
      ['cursor', 'cursor=whk'],
      ['colour', 'colour=red'],
    ])('answers 422 with the parameter %s in its first error for the query %s', async (path, query) => {
      const { status, json } = await list(query);

      expect(status).toBe(422);
      expect(json.errors[0].path).toBe(path);
    });

    it('answers 404 for a deleted webhook, a webhook of another account and a malformed webhook id', async () => {
      const deleted = await addWebhook({ deleted_at: new Date().toISOString() });
      const foreign = await addWebhook({ owner: foreignOwner });

      for (const id of [deleted.id, foreign.id, 'whk_1']) expect((await list('', id)).status).toBe(404);
    });
  });

  describe('GET /deliveries/{id}', () => {
    it('shows three attempts in order, the last from the row of the delivery, with stars as the values of request headers', async () => {
      const last = anAttempt({ number: 3, http_status: 200, response_body: 'ok', error: null });
      const { id } = await deliver(0, { status: 'delivered', ticket: 4, attempts_made: 3, settled_at: START_MS, last });
      await putAttempt(tables, id, anAttempt());
      await putAttempt(
        tables,
        id,
        anAttempt({ number: 2, http_status: null, response_body: null, error: { code: 'timeout', message: 'x' } }),
      );

      const { status, json } = await get(id);

      expect(status).toBe(200);
      expect(json).toMatchObject({ id, status: 'delivered', http_status: 200, response_body: 'ok', error: null });
      expect(json.attempts).toMatchObject([{ number: 1 }, { number: 2, error: { code: 'timeout' } }, { number: 3 }]);
      expect(json.attempts[0]).toEqual({
        number: 1,
        trigger: 'schedule',
        due_at: '2023-11-14T22:13:20.000Z',
        started_at: '2023-11-14T22:13:20.010Z',
        duration_ms: 41,
        http_status: 503,
        response_body: 'busy',
        error: { code: 'refused_status', message: 'The receiver answered 503.' },
        request_headers: { 'content-type': '***', 'x-passpost-signature': '***' },
      });
    });

    it('shows a response body that is stored in the row of the attempt, on the delivery and on its attempt', async () => {
      const last = anAttempt({ response_body: null, has_body_row: true });
      const { id } = await deliver(0, { status: 'dead', ticket: 2, attempts_made: 1, last });
      await putAttempt(tables, id, anAttempt({ response_body: 'long' }));

      const { json } = await get(id);

      expect(json.response_body).toBe('long');
      expect(json.attempts).toMatchObject([{ number: 1, response_body: 'long' }]);
    });

    it('shows a delivery without attempts as pending, with 6 planned attempts and no error', async () => {
      const { id } = await deliver(0);

      expect((await get(id)).json).toMatchObject({ status: 'pending', attempts: [], attempts_planned: 6, error: null });
    });

    it('for a deleted webhook, shows a held delivery as cancelled at the time of the deletion, and a delivered delivery as delivered', async () => {
      current.webhook = await addWebhook({ deleted_at: '2026-11-22T00:00:00.000Z', secrets: [] });
      const held = await deliver(0, { status: 'held', ticket: 2 });
      const sent = await deliver(1, { status: 'delivered', ticket: 2, attempts_made: 1, settled_at: START_MS });

      expect((await get(held.id)).json).toMatchObject({
        status: 'cancelled',
        attempts_planned: 0,
        next_attempt_at: null,
        settled_at: '2026-11-22T00:00:00.000Z',
      });
      expect((await get(sent.id)).json).toMatchObject({ status: 'delivered', attempts_planned: 1 });
    });

    it('answers 404 to a key of another account, to a test key of the same account, and for malformed ids', async () => {
      const { id } = await deliver(0);
      const testCaller = await aCaller(tables, { accountId: current.caller.accountId, mode: 'test' });

      expect((await get(id, await aCaller(tables))).status).toBe(404);
      expect((await get(id, testCaller)).status).toBe(404);
      for (const malformedId of [
        'dlv_1',
        `${id}0`,
        current.webhook.id,
        id.replace('dlv', 'DLV'),
        `${id.slice(0, -1)}!`,
      ]) {
        expect((await get(malformedId)).status).toBe(404);
      }
    });

    it('answers 403 to a key that has only the scope webhooks:write', async () => {
      const { id } = await deliver(0);

      expect((await get(id, await aCaller(tables, { scopes: ['webhooks:write'] }))).status).toBe(403);
    });
  });
});
