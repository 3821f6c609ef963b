import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeEach } from 'vitest';
import { rowOf } from '../../lambdas/adapters/rows/row.ts';
import { attemptKey, attentionPkOf, deliveryKey, webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { Attempt, StoredDelivery } from '../../lambdas/domain/deliveries/delivery.ts';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { aCaller, type Caller, rowsHolding, useApi } from './api-caller.ts';
import type { Tables } from './tables.ts';

/** The events function as each test's own caller uses it. */
export const useEventsApi = (tables: Tables) => {
  const api = useApi(tables, 'events-api');
  const current: { me: Caller } = { me: { accountId: '', owner: '', key: '' } };
  beforeEach(async () => {
    current.me = await aCaller(tables);
  });
  const rows = () => rowsHolding(tables, tables.domainTable, current.me.owner);

  return {
    api,
    current,
    publish: (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
      api('POST', '/events', current.me, { body, headers }),
    get: (id: string) => api('GET', `/events/${id}`, current.me),
    list: (query = '') => api('GET', '/events', current.me, { query }),
    rows,
    eventRows: async () => (await rows()).filter(({ kind }) => kind === 'event'),
  };
};

const put = (tables: Tables, table: string, row: object) =>
  tables.client.send(
    new PutItemCommand({ TableName: table, Item: marshall(rowOf({ ...row }), { removeUndefinedValues: true }) }),
  );

/** A webhook's row as the API leaves it. */
export const putWebhook = async (tables: Tables, webhook: StoredWebhook): Promise<StoredWebhook> => {
  await put(tables, tables.domainTable, { ...webhook, ...webhookKey(webhook.owner, webhook.id), kind: 'webhook' });
  return webhook;
};

/** A delivery's row as the engine leaves it, in the attention index where it was ever refused, held or cancelled. */
export const putDelivery = async (
  tables: Tables,
  of: { owner: string; webhookId: string; eventId: string; createdAtMs: number },
  over: Partial<StoredDelivery> & { ttl?: number } = {},
): Promise<StoredDelivery> => {
  const delivery: StoredDelivery = {
    id: deliveryId(of.createdAtMs, of.eventId, of.webhookId),
    owner: of.owner,
    event_id: of.eventId,
    event_type: 'task.accepted',
    status: 'pending',
    ticket: 1,
    step: 0,
    attempts_made: 0,
    trigger: 'schedule',
    due_at: of.createdAtMs,
    parked: false,
    has_slot: false,
    settled_at: null,
    last: null,
    ...over,
  };
  const isFirst = delivery.ticket === 1;
  await put(tables, tables.deliveryTable, {
    ...delivery,
    last: delivery.last && rowOf(delivery.last),
    ...deliveryKey(delivery.id),
    kind: 'delivery',
    ...(isFirst ? {} : { att_pk: attentionPkOf(delivery.id, delivery.status) }),
  });
  return delivery;
};

export const anAttempt = (over: Partial<Attempt> = {}): Attempt => ({
  number: 1,
  trigger: 'schedule',
  due_at: 1_700_000_000_000,
  started_at: 1_700_000_000_010,
  duration_ms: 41,
  http_status: 503,
  response_body: 'busy',
  has_body_row: false,
  error: { code: 'refused_status', message: 'The receiver answered 503.' },
  request_headers: ['content-type', 'x-passpost-signature'],
  ...over,
});

export const putAttempt = (tables: Tables, deliveryIdOf: string, attempt: Attempt) =>
  put(tables, tables.deliveryTable, {
    ...attemptKey(deliveryIdOf, attempt.number),
    kind: 'attempt',
    ...rowOf(attempt),
  });
