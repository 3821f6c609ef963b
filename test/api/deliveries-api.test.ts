import { beforeEach, describe, expect, it } from 'vitest';
import { executeStatements, insertStatement } from '../../lambdas/adapters/aws/statements.ts';
import { deliveryKey, eventKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { StoredDelivery } from '../../lambdas/domain/deliveries/delivery.ts';
import { deliveryId, deriveId, drawId } from '../../lambdas/domain/foundation/id.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import type { Json } from '../helpers/api-call.ts';
import { aCaller, type Caller, useApi } from '../helpers/api-caller.ts';
import { anAttempt, putAttempt, putDelivery, putWebhook } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, aWebhook } from '../helpers/virtual-engine.ts';

const START_MS = Date.parse('2026-11-20T10:00:00.000Z');

describe('the deliveries-api function', () => {
  const tables = useTables();
  const api = useApi(tables, 'deliveries-api');
  let me: Caller;
  let webhook: StoredWebhook;
  beforeEach(async () => {
    me = await aCaller(tables);
    webhook = await putWebhook(tables, aWebhook({ owner: me.owner }));
  });

  const get = (id: string, caller = me) => api('GET', `/deliveries/${id}`, caller);
  const list = (query = '', id = webhook.id) => api('GET', `/webhooks/${id}/deliveries`, me, { query });
  const deliver = (index: number, over: Partial<StoredDelivery> & { ttl?: number } = {}, eventId?: string) => {
    const createdAtMs = START_MS + index * 1000;
    const of = { owner: me.owner, webhookId: webhook.id, createdAtMs };
    return putDelivery(tables, { ...of, eventId: eventId ?? drawId('evt', createdAtMs) }, over);
  };
  const walk = async (query: string): Promise<Json[]> => {
    const seen: Json[] = [];
    for (let cursor = ''; ; ) {
      const { status, json } = await list(`${query}${cursor}`);
      expect(status).toBe(200);
      seen.push(...json.data);
      if (json.next_cursor === null) return seen;
      cursor = `&cursor=${json.next_cursor}`;
    }
  };
  const idsOf = (deliveries: readonly Json[]): string[] => deliveries.map(({ id }) => id);

  describe('GET /webhooks/{id}/deliveries', () => {
    it('shows what is owed and what came of it', async () => {
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
            webhook_id: webhook.id,
            event_id: failed.event_id,
            event_type: 'task.accepted',
            status: 'failed',
            attempts_made: 2,
            attempts_planned: 6,
            next_attempt_at: new Date(due).toISOString(),
            created_at: new Date(START_MS).toISOString(),
            settled_at: null,
            http_status: 503,
            response_body: 'busy',
            error: { code: 'refused_status', message: 'The receiver answered 503.' },
          },
        ],
        next_cursor: null,
      });
    });

    it.each([
      ['pending', { status: 'pending' }, 6, true, false],
      ['held', { status: 'held', ticket: 2, step: 1, attempts_made: 1 }, 6, false, false],
      ['delivered', { status: 'delivered', ticket: 2, attempts_made: 1, settled_at: START_MS }, 1, false, true],
      ['dead', { status: 'dead', ticket: 7, step: 5, attempts_made: 6, settled_at: START_MS }, 6, false, true],
      ['tried by hand', { status: 'pending', trigger: 'manual', ticket: 3, attempts_made: 1 }, 2, true, false],
    ] as const)('plans the attempts of one that is %s', async (_, over, planned, isDue, isSettled) => {
      await deliver(0, over);

      const [shown] = (await list()).json.data;

      expect(shown.attempts_planned).toBe(planned);
      expect(shown.next_attempt_at !== null).toBe(isDue);
      expect(shown.settled_at !== null).toBe(isSettled);
    });

    it('plans by the schedule of the webhook itself', async () => {
      webhook = await putWebhook(tables, aWebhook({ owner: me.owner, schedule: [1] }));
      await deliver(0);
      expect((await list()).json.data[0].attempts_planned).toBe(2);

      webhook = await putWebhook(tables, aWebhook({ owner: me.owner, schedule: 'standard' }));
      await deliver(0);
      expect((await list()).json.data[0].attempts_planned).toBe(10);
    });

    it('shows an answer that was too long for the row', async () => {
      const last = anAttempt({ response_body: null, has_body_row: true });
      const { id } = await deliver(0, { status: 'dead', ticket: 2, attempts_made: 1, last });
      await putAttempt(tables, id, anAttempt({ response_body: 'x'.repeat(2000) }));

      expect((await list()).json.data[0].response_body).toBe('x'.repeat(2000));
    });

    it('lists newest first over all shards, each exactly once', async () => {
      const made = await Promise.all(Array.from({ length: 30 }, (_, index) => deliver(index)));

      const seen = await walk('limit=7');

      expect(idsOf(seen)).toEqual(made.map(({ id }) => id).toReversed());
    });

    it('filters by status, event type and time', async () => {
      const statuses = ['pending', 'failed', 'delivered', 'dead', 'held', 'cancelled'] as const;
      const made = await Promise.all(
        Array.from({ length: 24 }, (_, index) => {
          const status = statuses[index % 6] ?? 'pending';
          // Every second delivered one had been refused before.
          const ticket = status === 'pending' || (status === 'delivered' && index % 12 === 2) ? 1 : 3;
          return deliver(index, { status, ticket, event_type: index < 12 ? 'task.created' : 'task.accepted' });
        }),
      );
      const wanted = (wants: (index: number) => boolean) =>
        made.flatMap(({ id }, index) => (wants(index) ? [id] : [])).toReversed();

      for (const [place, status] of statuses.entries()) {
        expect(idsOf(await walk(`status=${status}&limit=3`))).toEqual(wanted((index) => index % 6 === place));
      }
      expect(idsOf(await walk('event_type=task.created&limit=5'))).toEqual(wanted((index) => index < 12));
      expect(idsOf(await walk('status=dead&event_type=task.accepted'))).toEqual(
        wanted((index) => index >= 12 && index % 6 === 3),
      );
      const since = new Date(START_MS + 5000).toISOString();
      const until = new Date(START_MS + 15_000).toISOString();
      expect(idsOf(await walk(`since=${since}&until=${until}&limit=4`))).toEqual(
        wanted((index) => index >= 5 && index < 15),
      );
      expect(idsOf(await walk(`status=failed&since=${since}`))).toEqual(
        wanted((index) => index >= 5 && index % 6 === 1),
      );
      expect(await walk(`since=${until}&until=${since}`)).toEqual([]);
    });

    it('looks at a thousand rows a call, and comes to the end all the same', async () => {
      const oldest = await deliver(0, { event_type: 'task.created' });
      const newer = Array.from({ length: 1300 }, (_, index) => {
        const id = deliveryId(START_MS + 1 + index, 'any', webhook.id);
        return { ...oldest, ...deliveryKey(id), id, event_type: 'task.accepted', kind: 'delivery' };
      });
      await executeStatements(
        tables.client,
        newer.map((row) => insertStatement(tables.deliveryTable, row)),
      );

      const first = await list('event_type=task.created');

      expect(first.json.data).toEqual([]);
      expect(first.json.next_cursor).not.toBeNull();
      expect(idsOf(await walk('event_type=task.created'))).toEqual([oldest.id]);
    });

    it('finds the delivery of one event without looking for it', async () => {
      const timed = await deliver(0);
      const event = anEvent({ owner: me.owner, id: deriveId('evt', me.owner, 'mine') }, START_MS + 1000);
      await executeStatements(tables.client, [
        insertStatement(tables.domainTable, { ...event, ...eventKey(me.owner, event.id), kind: 'event' }),
      ]);
      const derived = await deliver(1, {}, event.id);

      expect(idsOf(await walk(`event_id=${timed.event_id}`))).toEqual([timed.id]);
      expect(idsOf(await walk(`event_id=${event.id}`))).toEqual([derived.id]);
      expect(await walk(`event_id=${event.id}&status=dead`)).toEqual([]);
      expect(await walk(`event_id=${drawId('evt', START_MS)}`)).toEqual([]);
      expect(await walk(`event_id=${deriveId('evt', 'nobody')}`)).toEqual([]);
    });

    it('leaves out what has expired', async () => {
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
    ])('refuses a wrong %s', async (path, query) => {
      const { status, json } = await list(query);

      expect(status).toBe(422);
      expect(json.errors[0].path).toBe(path);
    });

    it('answers 404 where there is no such webhook, or no longer', async () => {
      const deleted = await putWebhook(tables, aWebhook({ owner: me.owner, deleted_at: new Date().toISOString() }));
      const foreign = await putWebhook(tables, aWebhook({ owner: 'acc_01JDB6Q80000000000000000AA#live' }));

      for (const id of [deleted.id, foreign.id, 'whk_1']) expect((await list('', id)).status).toBe(404);
    });
  });

  describe('GET /deliveries/{id}', () => {
    it('shows every attempt, the last from the row itself, headers without their values', async () => {
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

    it('takes an attempt whose answer was long from its own row', async () => {
      const last = anAttempt({ response_body: null, has_body_row: true });
      const { id } = await deliver(0, { status: 'dead', ticket: 2, attempts_made: 1, last });
      await putAttempt(tables, id, anAttempt({ response_body: 'long' }));

      const { json } = await get(id);

      expect(json.response_body).toBe('long');
      expect(json.attempts).toMatchObject([{ number: 1, response_body: 'long' }]);
    });

    it('shows one that was never tried', async () => {
      const { id } = await deliver(0);

      expect((await get(id)).json).toMatchObject({ status: 'pending', attempts: [], attempts_planned: 6, error: null });
    });

    it('shows as cancelled what a deleted webhook is still owed, and the rest as it was', async () => {
      webhook = await putWebhook(
        tables,
        aWebhook({ owner: me.owner, deleted_at: '2026-11-22T00:00:00.000Z', secrets: [] }),
      );
      const owed = await deliver(0, { status: 'held', ticket: 2 });
      const sent = await deliver(1, { status: 'delivered', ticket: 2, attempts_made: 1, settled_at: START_MS });

      expect((await get(owed.id)).json).toMatchObject({
        status: 'cancelled',
        attempts_planned: 0,
        next_attempt_at: null,
        settled_at: '2026-11-22T00:00:00.000Z',
      });
      expect((await get(sent.id)).json).toMatchObject({ status: 'delivered', attempts_planned: 1 });
    });

    it('answers 404 to an unknown id, and to whom it does not belong', async () => {
      const { id } = await deliver(0);
      const test = await aCaller(tables, { accountId: me.accountId, mode: 'test' });

      expect((await get(id, await aCaller(tables))).status).toBe(404);
      expect((await get(id, test)).status).toBe(404);
      for (const wrong of ['dlv_1', `${id}0`, webhook.id, id.replace('dlv', 'DLV'), `${id.slice(0, -1)}!`]) {
        expect((await get(wrong)).status).toBe(404);
      }
    });

    it('asks for a scope', async () => {
      const { id } = await deliver(0);

      expect((await get(id, await aCaller(tables, { scopes: ['webhooks:write'] }))).status).toBe(403);
    });
  });
});
