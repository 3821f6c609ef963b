import { beforeEach, describe, expect, it } from 'vitest';
import { executeStatements, insertStatement } from '../../lambdas/adapters/aws/statements.ts';
import { eventKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { StoredDelivery } from '../../lambdas/domain/deliveries/delivery.ts';
import type { StoredEvent } from '../../lambdas/domain/events/event.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { aCaller, type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { anAttempt, putDelivery, putWebhook } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, aWebhook } from '../helpers/virtual-engine.ts';

describe('POST /deliveries/{id}/retry', () => {
  const tables = useTables();
  const api = useApi(tables, 'deliveries-api');
  let me: Caller;
  let webhook: StoredWebhook;
  beforeEach(async () => {
    me = await aCaller(tables);
    webhook = await putWebhook(tables, aWebhook({ owner: me.owner }));
  });

  const startMs = Date.now() - 3_600_000;
  const dead = {
    status: 'dead',
    ticket: 7,
    step: 5,
    attempts_made: 6,
    settled_at: startMs,
    last: anAttempt({ number: 6 }),
  } as const;
  const deliver = async (over: Partial<StoredDelivery> = dead, ofEvent: Partial<StoredEvent> = {}) => {
    const event = anEvent({ owner: me.owner, ...ofEvent }, startMs);
    await executeStatements(tables.client, [
      insertStatement(tables.domainTable, { ...event, ...eventKey(me.owner, event.id), kind: 'event' }),
    ]);
    const of = { owner: me.owner, webhookId: webhook.id, eventId: event.id, createdAtMs: startMs };
    return putDelivery(tables, of, over);
  };
  const retry = (id: string, headers = {}, caller = me) => api('POST', `/deliveries/${id}/retry`, caller, { headers });
  const commands = async () =>
    (await rowsHolding(tables, tables.domainTable, me.owner)).filter(({ kind }) => kind === 'command');

  it('asks for one attempt more of one that is dead, and answers with it', async () => {
    const { id, event_id } = await deliver();

    const { status, json } = await retry(id);

    expect(status).toBe(202);
    expect(json).toMatchObject({ id, status: 'pending', attempts_made: 6, attempts_planned: 7, settled_at: null });
    expect(Date.parse(json.next_attempt_at)).toBeGreaterThan(startMs);
    expect(await commands()).toMatchObject([{ type: 'redeliver', trigger: 'manual', event_id, delivery_ids: [id] }]);
  });

  it.each([
    ['delivered', { status: 'delivered', ticket: 2, attempts_made: 1, settled_at: startMs }, 202],
    ['cancelled', { status: 'cancelled', ticket: 2, settled_at: startMs }, 202],
    ['pending', {}, 409],
    ['failed', { status: 'failed', ticket: 2, attempts_made: 1 }, 409],
    ['held', { status: 'held', ticket: 2 }, 409],
  ] as const)('answers one that is %s by whether an attempt is owed', async (_, over, expected) => {
    const { id } = await deliver(over);

    expect((await retry(id)).status).toBe(expected);
  });

  it('is asked for once by two at the same moment', async () => {
    const { id } = await deliver();

    const answers = await Promise.all([retry(id), retry(id)]);

    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409]);
    expect(await commands()).toHaveLength(1);
  });

  it('answers a repeat under the same Idempotency-Key as it answered first', async () => {
    const { id } = await deliver();
    const key = { 'idempotency-key': 'once' };

    const first = await retry(id, key);
    const again = await retry(id, key);

    expect([again.status, again.json]).toEqual([202, first.json]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await commands()).toHaveLength(1);
  });

  it('refuses where there is nothing to send any more', async () => {
    const gone = await deliver(dead, { data: 'null', payload_deleted_at: new Date().toISOString() });
    const { id } = await deliver();
    await putWebhook(tables, { ...webhook, deleted_at: new Date().toISOString() });

    expect((await retry(gone.id)).status).toBe(409);
    expect((await retry(id)).status).toBe(409);
    expect(await commands()).toEqual([]);
  });

  it('answers 404 to an unknown id and to strangers, and asks for a scope', async () => {
    const { id } = await deliver();
    const another = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`;

    expect((await retry(id, {}, await aCaller(tables))).status).toBe(404);
    expect((await retry(another)).status).toBe(404);
    expect((await retry(id, {}, await aCaller(tables, { scopes: ['webhooks:read'] }))).status).toBe(403);
    expect((await api('GET', `/deliveries/${id}/retry`, me)).status).toBe(405);
  });
});
