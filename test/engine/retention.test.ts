import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { imageToChange } from '../../lambdas/adapters/fan-out/stream-record.ts';
import { attemptKey, deliveryKey, eventKey, jobKey, type Key } from '../../lambdas/adapters/rows/table-keys.ts';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import { type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { anAttempt, putAttempt, putDelivery, putWebhook } from '../helpers/events-api.ts';
import { putRouting } from '../helpers/routing-rows.ts';
import { seedAccount } from '../helpers/seeded-keys.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

const result = { meta: { code: 200, message: 'OK', details: [], retryable: false }, data: {} };
const rates = { type: 'calculate_rates', input: {}, async: true };
const DAY = 86_400;
const secondsOf = (time: string | number): number => Math.ceil(new Date(time).getTime() / 1000);

describe('an account with its own retention of 2 days', () => {
  const tables = useTables();
  const events = useApi(tables, 'events-api');
  const tasks = useApi(tables, 'tasks-api');
  const jobs = useApi(tables, 'jobs-api');
  const catalogue = useApi(tables, 'catalogue-api');
  const deliveries = useApi(tables, 'deliveries-api');
  let me: Caller;
  beforeEach(async () => {
    const { accountId, key } = await seedAccount(tables, { retentionDays: 2 });
    me = { accountId, owner: `${accountId}#live`, key };
  });

  const rowAt = async (table: string, key: Key) => {
    const { Item = {} } = await tables.client.send(
      new GetItemCommand({ TableName: table, Key: marshall(key), ConsistentRead: true }),
    );
    return unmarshall(Item);
  };
  const setTtl = (TableName: string, key: Key, ttl: number) =>
    tables.client.send(
      new UpdateItemCommand({
        TableName,
        Key: marshall(key),
        UpdateExpression: 'SET #ttl = :ttl',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: marshall({ ':ttl': ttl }),
      }),
    );
  /** The change that the stream holds for the account's row that matches. Throws if it is not the change of an event. */
  const changeOf = async (match: (row: Record<string, unknown>) => boolean) => {
    const rows = await rowsHolding(tables, tables.domainTable, '');
    const row = rows.find((each) => each.owner === me.owner && match(each));
    const change = row && imageToChange(marshall(row));
    if (change?.kind !== 'event') throw new Error('no event');
    return change;
  };

  it('has events that expire 16 days after their creation and deliveries that expire 2 days after they are delivered', async () => {
    const { json } = await events('POST', '/events', me, { body: { type: 'task.accepted', data: {} } });
    const change = await changeOf(({ id }) => id === json.id);
    let posts = 0;
    const answer = () => ({ status: posts++ === 0 ? 500 : 200, body: 'x'.repeat(400) });
    const engine = createVirtualEngine(tables, answer, { owner: me.owner, startMs: Date.parse(json.created_at) });
    const webhook = aWebhook();
    await engine.addWebhooks(webhook);

    await engine.fanOut([change]);
    await engine.passUntil(engine.now() + 1000);
    const id = deliveryId(Date.parse(json.created_at), json.id, webhook.id);
    const refused = await rowAt(tables.deliveryTable, deliveryKey(id));
    await engine.passUntil(engine.now() + 120_000);

    const event = await rowAt(tables.domainTable, eventKey(me.owner, json.id));
    const settled = await rowAt(tables.deliveryTable, deliveryKey(id));
    const attempts = [
      await rowAt(tables.deliveryTable, attemptKey(id, 1)),
      await rowAt(tables.deliveryTable, attemptKey(id, 2)),
    ];
    expect(event.ttl).toBe(secondsOf(json.created_at) + 16 * DAY);
    expect([refused.status, refused.ttl]).toEqual(['failed', undefined]);
    expect([settled.status, settled.ttl]).toEqual(['delivered', secondsOf(settled.settled_at) + 2 * DAY]);
    for (const attempt of attempts) {
      expect(attempt.ttl).toBeLessThanOrEqual(secondsOf(settled.settled_at) + 16 * DAY);
      expect(attempt.ttl).toBeGreaterThanOrEqual(secondsOf(json.created_at) + 16 * DAY);
    }
  });

  it('has events of a task, a template and a completed job that expire 16 days after their creation', async () => {
    const position = { city: 'Oslo', address: 'A' };
    await tasks('POST', '/tasks', me, { body: { item: 'Pass', pickup: position, dropoff: position } });
    for (const name of ['Key card', 'Door card']) await catalogue('PUT', '/templates/card', me, { body: { name } });
    const engine = createVirtualEngine(tables, () => ({}), { owner: me.owner, startMs: Date.now() + 60_000 });
    await engine.addWebhooks(aWebhook({ profile: 'postmen', events: ['calculate_rates'] }));
    const job = (await jobs('POST', '/jobs', me, { body: rates })).json;
    await jobs('POST', `/jobs/${job.id}/complete`, me, { body: result });

    for (const kind of ['task', 'template', 'job']) {
      const change = await changeOf((row) => row.kind === kind);
      await engine.fanOut([change]);

      const event = await rowAt(tables.domainTable, eventKey(me.owner, change.event.id));
      expect([kind, event.ttl]).toEqual([kind, secondsOf(change.event.created_at) + 16 * DAY]);
    }
  });

  // DynamoDB deletes expired rows within days, not immediately.
  it('gets 404 for expired rows that DynamoDB still stores, on GET, retry and complete, and empty lists', async () => {
    const worker = await putWebhook(tables, aWebhook({ owner: me.owner, profile: 'postmen', events: [rates.type] }));
    await putRouting(tables, me.owner, rates.type, [`${worker.id}|`]);
    const event = (await events('POST', '/events', me, { body: { type: 'task.accepted', data: {} } })).json;
    const { id: job } = (await jobs('POST', '/jobs', me, { body: rates })).json;
    const webhook = await putWebhook(tables, aWebhook({ owner: me.owner }));
    const owned = {
      owner: me.owner,
      webhookId: webhook.id,
      eventId: event.id,
      createdAtMs: Date.parse(event.created_at),
    };
    const delivery = await putDelivery(tables, owned, { status: 'dead', ticket: 3, attempts_made: 2, settled_at: 1 });
    await putAttempt(tables, delivery.id, anAttempt());
    const window = { since: '2026-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z', dry_run: true };
    const readAll = async () => {
      const [ofEvent, ofDelivery, ofJob, listedEvents, listedDeliveries, listedJobs, recoverable] = await Promise.all([
        events('GET', `/events/${event.id}`, me),
        deliveries('GET', `/deliveries/${delivery.id}`, me),
        jobs('GET', `/jobs/${job}`, me),
        events('GET', '/events', me),
        deliveries('GET', `/webhooks/${webhook.id}/deliveries`, me),
        jobs('GET', '/jobs', me),
        deliveries('POST', `/webhooks/${webhook.id}/recover`, me, { body: window }),
      ]);
      const statuses = [ofEvent, ofDelivery, ofJob].map(({ status }) => status);
      const listed = [listedEvents, listedDeliveries, listedJobs].map(({ json }) => json.data.length);
      return [...statuses, ...listed, recoverable.json.count, ofDelivery.json.attempts?.length ?? 0];
    };
    const expire = (table: string, key: Key) => setTtl(table, key, Math.floor(Date.now() / 1000) - 1);

    const before = await readAll();
    await expire(tables.deliveryTable, attemptKey(delivery.id, 1));
    const withoutAttempt = await readAll();
    await expire(tables.deliveryTable, deliveryKey(delivery.id));
    await expire(tables.domainTable, eventKey(me.owner, event.id));
    await expire(tables.domainTable, jobKey(job));
    const after = await readAll();

    expect(before).toEqual([200, 200, 200, 1, 1, 1, 1, 1]);
    expect(withoutAttempt).toEqual([200, 200, 200, 1, 1, 1, 1, 0]);
    expect(after).toEqual([404, 404, 404, 0, 0, 0, 0, 0]);
    expect((await deliveries('POST', `/deliveries/${delivery.id}/retry`, me)).status).toBe(404);
    expect((await jobs('POST', `/jobs/${job}/complete`, me, { body: result })).status).toBe(404);
  });
});
