import { beforeEach, describe, expect, it } from 'vitest';
import { createEventTypesTable } from '../../lambdas/adapters/events/event-types-table.ts';
import { catalogue } from '../../lambdas/domain/events/built-in-types.ts';
import { sampleOf } from '../../lambdas/domain/events/event-samples.ts';
import { auditEntry } from '../../lambdas/domain/foundation/audit.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { aCaller, type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { putWebhook } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

describe('POST /webhooks/{id}/test', () => {
  const tables = useTables();
  const api = useApi(tables, 'deliveries-api');
  let me: Caller;
  beforeEach(async () => {
    me = await aCaller(tables);
  });

  const register = (over: Partial<StoredWebhook> = {}) => putWebhook(tables, aWebhook({ owner: me.owner, ...over }));
  const test = (id: string, body?: unknown, headers = {}) => api('POST', `/webhooks/${id}/test`, me, { body, headers });
  const eventRows = async () =>
    (await rowsHolding(tables, tables.domainTable, me.owner)).filter(({ kind }) => kind === 'event');

  it('publishes a sample for this webhook alone', async () => {
    const { id } = await register();

    const { status, json } = await test(id, { type: 'pass.installed' });

    expect(status).toBe(202);
    expect(json.delivery_id.endsWith(id.slice(4))).toBe(true);
    expect(await eventRows()).toMatchObject([
      { id: json.event_id, origin: 'publish', type: 'pass.installed', test_of: id, kind: 'event' },
    ]);
  });

  it.each([
    ['the first it names', { events: ['task.completed', 'task.created'] }, 'task.completed'],
    ['the first its profile means', { events: ['*'], profile: 'passmint' }, 'pass.created'],
    ['the first of all where it wants everything', { events: ['*'], profile: 'standard' }, 'task.created'],
  ])('takes %s', async (_, over, type) => {
    const { id } = await register(over);

    await test(id);

    expect(await eventRows()).toMatchObject([{ type }]);
  });

  it('has a sample of every built-in type', () => {
    const without = catalogue.filter(({ name }) => Object.keys(sampleOf(name)).length === 0);

    expect(without).toEqual([]);
  });

  it('takes a type of the account itself, and refuses one that nobody knows', async () => {
    const { id } = await register();
    const own = { name: 'order.sent', owner: me.owner, description: '', schema: null };
    const entry = auditEntry({ ...me, keyId: '', ip: '' }, 'event_type.put', own.name, Date.now());
    await createEventTypesTable(tables.client, tables.domainTable).put(own, entry);

    expect((await test(id, { type: 'order.sent' })).status).toBe(202);
    const { status, json } = await test(id, { type: 'order.lost' });
    expect([status, json.errors[0].path]).toEqual([422, 'type']);
  });

  it('answers a repeat under the same Idempotency-Key as it answered first', async () => {
    const { id } = await register();

    const [first, again] = [
      await test(id, {}, { 'idempotency-key': '1' }),
      await test(id, {}, { 'idempotency-key': '1' }),
    ];

    expect(again.json).toEqual(first.json);
    expect(await eventRows()).toHaveLength(1);
  });

  it('answers 404 where there is no such webhook', async () => {
    const deleted = await register({ deleted_at: new Date().toISOString() });
    const foreign = await putWebhook(tables, aWebhook({ owner: 'acc_01JDB6Q80000000000000000AA#live' }));

    for (const { id } of [deleted, foreign]) expect((await test(id)).status).toBe(404);
  });

  it('reaches a disabled webhook, and nobody else who wants the type', async () => {
    const engine = createVirtualEngine(tables, () => ({ status: 200 }));
    const disabled = aWebhook({ enabled: false, disabled_reason: 'manual', url: 'https://disabled.example/' });
    await engine.addWebhooks(disabled, aWebhook());

    await engine.publish(anEvent({ test_of: disabled.id }, engine.now()));
    await engine.passUntil(engine.now() + 60_000);

    expect(engine.posts.map(({ url }) => url)).toEqual(['https://disabled.example/']);
  });
});
