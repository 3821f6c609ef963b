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

/** Calls the events-api function with a new account for each test, and reads the rows of the account. */
export const useEventsApi = (tables: Tables) => {
  const api = useApi(tables, 'events-api');
  const current: { caller: Caller } = { caller: { accountId: '', owner: '', key: '' } };
  beforeEach(async () => {
    current.caller = await aCaller(tables);
  });
  const rows = () => rowsHolding(tables, tables.domainTable, current.caller.owner);

  return {
    api,
    current,
    publish: (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
      api('POST', '/events', current.caller, { body, headers }),
    get: (id: string) => api('GET', `/events/${id}`, current.caller),
    list: (query = '') => api('GET', '/events', current.caller, { query }),
    rows,
    eventRows: async () => (await rows()).filter(({ kind }) => kind === 'event'),
  };
};

const put = (tables: Tables, table: string, row: object) =>
  tables.client.send(
    new PutItemCommand({ TableName: table, Item: marshall(rowOf({ ...row }), { removeUndefinedValues: true }) }),
  );

/** Stores a webhook's row as the API writes it, without its routes. */
export const putWebhook = async (tables: Tables, webhook: StoredWebhook): Promise<StoredWebhook> => {
  await put(tables, tables.domainTable, { ...webhook, ...webhookKey(webhook.owner, webhook.id), kind: 'webhook' });
  return webhook;
};

/**
 * Stores a delivery's row as the engine writes it. A delivery with a ticket above 1 was refused, held or cancelled once,
 * so the row is in the attention index.
 */
export const putDelivery = async (
  tables: Tables,
  identity: { owner: string; webhookId: string; eventId: string; createdAtMs: number },
  overrides: Partial<StoredDelivery> & { ttl?: number } = {},
): Promise<StoredDelivery> => {
  const delivery: StoredDelivery = {
    id: deliveryId(identity.createdAtMs, identity.eventId, identity.webhookId),
    owner: identity.owner,
    event_id: identity.eventId,
    event_type: 'task.accepted',
    status: 'pending',
    ticket: 1,
    step: 0,
    attempts_made: 0,
    trigger: 'schedule',
    due_at: identity.createdAtMs,
    parked: false,
    has_slot: false,
    has_account_slot: false,
    settled_at: null,
    last: null,
    ...overrides,
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

/** A recorded attempt, by default a first one that the receiver refused with 503. */
export const anAttempt = (overrides: Partial<Attempt> = {}): Attempt => ({
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
  ...overrides,
});

/** Stores an attempt in its own row, beside the row of its delivery. */
export const putAttempt = (tables: Tables, idOfDelivery: string, attempt: Attempt) =>
  put(tables, tables.deliveryTable, {
    ...attemptKey(idOfDelivery, attempt.number),
    kind: 'attempt',
    ...rowOf(attempt),
  });
