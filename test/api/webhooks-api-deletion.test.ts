import { describe, expect, it } from 'vitest';
import { routingKey, webhookCountKey, webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { useApi } from '../helpers/api-caller.ts';
import { putDelivery, putWebhook } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';
import { minimalWebhook, useWebhooksApi } from '../helpers/webhooks-api.ts';

describe('the row of a deleted webhook', () => {
  const tables = useTables();
  const { current, post, create, remove, rowAt, rows, webhookCount, setAttribute } = useWebhooksApi(tables);
  const catalogue = useApi(tables, 'catalogue-api');
  const passmint = useApi(tables, 'passmint-api', '/v1');
  const passcreator = useApi(tables, 'passcreator-api', '/api/hook');
  const countKey = () => webhookCountKey(current.caller.owner);
  const webhookRows = async () => (await rows()).filter(({ kind }) => kind === 'webhook');

  const deliverTo = (webhookId: string) =>
    putDelivery(tables, {
      owner: current.caller.owner,
      webhookId,
      eventId: drawId('evt', Date.now()),
      createdAtMs: Date.now(),
    });

  it('does not exist for a webhook that never had a delivery, and neither do the routing rows that only it was in', async () => {
    await catalogue('PUT', '/event-types/order.paid', current.caller, { body: { description: '' } });
    const { id } = await create({ events: ['order.paid', 'task.created'] });
    const { id: other } = await create({ events: ['task.created'] });

    const { status } = await remove(id);

    expect(status).toBe(204);
    expect((await webhookRows()).map((row) => row.id)).toEqual([other]);
    expect(await rowAt(routingKey(current.caller.owner, 'order.paid', null))).toBeUndefined();
    expect((await rowAt(routingKey(current.caller.owner, 'task.created', null)))?.webhooks).toEqual(
      new Set([`${other}|`]),
    );
  });

  it('does not exist after DELETE /v1/webhooks/{id} of PassMint and POST /api/hook/unsubscribe of Passcreator for webhooks that never had a delivery', async () => {
    const { id } = await create({ profile: 'passmint', events: ['pass.created'] });
    const headers = { authorization: current.caller.key };
    await passcreator('POST', '/subscribe', current.caller, {
      body: { target_url: minimalWebhook.url, event: 'pass_created' },
      headers,
    });

    const minted = await passmint('DELETE', `/webhooks/${id}`, current.caller);
    const unsubscribed = await passcreator('POST', '/unsubscribe', current.caller, {
      body: { target_url: minimalWebhook.url },
      headers,
    });

    expect([minted.status, unsubscribed.status]).toEqual([204, 200]);
    expect(await webhookRows()).toEqual([]);
  });

  it('has neither description nor the query of the URL for a webhook with a delivery, and expires after 45 days', async () => {
    const { id } = await create({ url: `${minimalWebhook.url}?token=secret`, description: 'front desk' });
    await deliverTo(id);

    await remove(id);

    const row = (await rowAt(webhookKey(current.caller.owner, id))) ?? {};
    expect(row.url).toBe(minimalWebhook.url);
    expect(row.description ?? null).toBeNull();
    expect(JSON.stringify(row)).not.toContain('token');
    expect(row.ttl).toBeGreaterThan(Date.now() / 1000 + 44 * 86_400);
  });

  it('counts until it expires: POST /webhooks answers 409 too_many_webhooks at 2,000 rows, and 201 once the expired rows are counted off', async () => {
    const { owner } = current.caller;
    const deleted = { owner, deleted_at: new Date().toISOString() };
    await putWebhook(tables, { ...aWebhook(deleted), ...{ ttl: Math.ceil(Date.now() / 1000) - 60 } });
    await create();
    await setAttribute(countKey(), 'rows', 2000);
    // As if the rows had been counted a moment ago, so that they are not counted again.
    await setAttribute(countKey(), 'counted_at', Date.now());
    const refused = await post({ ...minimalWebhook, url: 'https://93.184.215.15/hook' });

    await setAttribute(countKey(), 'counted_at', 0);
    const created = await post({ ...minimalWebhook, url: 'https://93.184.215.15/hook' });

    expect(refused).toMatchObject({ status: 409, json: { type: '/problems/too_many_webhooks' } });
    expect(created.status).toBe(201);
    expect((await rowAt(countKey()))?.rows).toBe(2);
  });

  it('counts as a row of the account with a delivery, and does not without one', async () => {
    const [withDelivery, without] = [await create(), await create()];
    await deliverTo(withDelivery.id);

    await remove(withDelivery.id);
    await remove(without.id);

    expect(await webhookCount()).toBe(0);
    expect((await rowAt(countKey()))?.rows).toBe(1);
  });
});
