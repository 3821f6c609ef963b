import { describe, expect, it } from 'vitest';
import { createEventTypesTable } from '../../lambdas/adapters/events/event-types-table.ts';
import { catalogue } from '../../lambdas/domain/events/built-in-types.ts';
import { sampleOf } from '../../lambdas/domain/events/event-samples.ts';
import { auditEntry } from '../../lambdas/domain/foundation/audit.ts';
import { foreignOwner, useDeliveriesApi } from '../helpers/deliveries-api.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

describe('POST /webhooks/{id}/test', () => {
  const tables = useTables();
  const { api, current, addWebhook, addDelivery, rowsOfKind } = useDeliveriesApi(tables);

  const sendTest = (id: string, body?: unknown, headers = {}) =>
    api('POST', `/webhooks/${id}/test`, current.caller, { body, headers });
  const eventRows = () => rowsOfKind('event');

  it('answers 202 with the ids of event and delivery, and stores one event of the given type with test_of set to the webhook', async () => {
    const { id } = await addWebhook();

    const { status, json } = await sendTest(id, { type: 'pass.installed' });

    expect(status).toBe(202);
    expect(json.delivery_id.endsWith(id.slice(4))).toBe(true);
    expect(await eventRows()).toMatchObject([
      { id: json.event_id, origin: 'publish', type: 'pass.installed', test_of: id, kind: 'event' },
    ]);
  });

  it.each([
    ['the first type that the webhook names', { events: ['task.completed', 'task.created'] }, 'task.completed'],
    ['the first type that * means in the profile', { events: ['*'], profile: 'passmint' }, 'pass.created'],
    [
      'the first built-in type when the webhook wants every type',
      { events: ['*'], profile: 'standard' },
      'task.created',
    ],
  ])('without a type in the body, stores an event of %s', async (_, overrides, type) => {
    const { id } = await addWebhook(overrides);

    await sendTest(id);

    expect(await eventRows()).toMatchObject([{ type }]);
  });

  it('sampleOf gives data with at least one field for every built-in event type', () => {
    const typesWithoutSample = catalogue.filter(({ name }) => Object.keys(sampleOf(name)).length === 0);

    expect(typesWithoutSample).toEqual([]);
  });

  it('answers 202 to an event type that the account has defined, and 422 to an unknown type', async () => {
    const { id } = await addWebhook();
    const ownType = { name: 'order.sent', owner: current.caller.owner, description: '', schema: null };
    const entry = auditEntry({ ...current.caller, keyId: '', ip: '' }, 'event_type.put', ownType.name, Date.now());
    await createEventTypesTable(tables.client, tables.domainTable).put(ownType, entry);

    expect((await sendTest(id, { type: 'order.sent' })).status).toBe(202);
    const { status, json } = await sendTest(id, { type: 'order.lost' });
    expect([status, json.errors[0].path]).toEqual([422, 'type']);
  });

  it('repeats its first answer to a second call with the same Idempotency-Key, and stores one event', async () => {
    const { id } = await addWebhook();

    const [first, again] = [
      await sendTest(id, {}, { 'idempotency-key': '1' }),
      await sendTest(id, {}, { 'idempotency-key': '1' }),
    ];

    expect(again.json).toEqual(first.json);
    expect(await eventRows()).toHaveLength(1);
  });

  it('answers 404 for a deleted webhook and for a webhook of another account', async () => {
    const deleted = await addWebhook({ deleted_at: new Date().toISOString() });
    const foreign = await addWebhook({ owner: foreignOwner });

    for (const { id } of [deleted, foreign]) expect((await sendTest(id)).status).toBe(404);
  });

  it('the delivery of a test event is shown with test: true, and another delivery with test: false', async () => {
    const test = await addDelivery(Date.now(), { test: true });
    const other = await addDelivery(Date.now());

    const shown = await Promise.all([test, other].map(({ id }) => api('GET', `/deliveries/${id}`, current.caller)));

    expect(shown.map(({ json }) => json.test)).toEqual([true, false]);
  });

  it('an event with test_of set to a disabled webhook is sent to that webhook, and to no other webhook that wants its type', async () => {
    const engine = createVirtualEngine(tables, () => ({ status: 200 }));
    const disabled = aWebhook({ enabled: false, disabled_reason: 'manual', url: 'https://disabled.example/' });
    await engine.addWebhooks(disabled, aWebhook());

    await engine.publish(anEvent({ test_of: disabled.id }, engine.now()));
    await engine.passUntil(engine.now() + 60_000);

    expect(engine.posts.map(({ url }) => url)).toEqual(['https://disabled.example/']);
  });
});
