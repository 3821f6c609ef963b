import { beforeEach } from 'vitest';
import { executeStatements, insertStatement } from '../../lambdas/adapters/aws/statements.ts';
import { eventKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { StoredDelivery } from '../../lambdas/domain/deliveries/delivery.ts';
import type { StoredEvent } from '../../lambdas/domain/events/event.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { aCaller, type Caller, rowsHolding, useApi } from './api-caller.ts';
import { putDelivery, putWebhook } from './events-api.ts';
import type { Tables } from './tables.ts';
import { aWebhook } from './virtual-engine.ts';

/** The owner of rows in another account, which no caller may see. */
export const foreignOwner = 'acc_01JDB6Q80000000000000000AA#live';

/** Calls the deliveries-api function. Each test has its own account (`current.caller`) with one webhook (`current.webhook`). */
export const useDeliveriesApi = (tables: Tables) => {
  const api = useApi(tables, 'deliveries-api');
  const current = {} as { caller: Caller; webhook: StoredWebhook };
  /** Stores another webhook of the account, without its routes. */
  const addWebhook = (overrides: Partial<StoredWebhook> = {}) =>
    putWebhook(tables, aWebhook({ owner: current.caller.owner, ...overrides }));
  beforeEach(async () => {
    current.caller = await aCaller(tables);
    current.webhook = await addWebhook();
  });

  return {
    api,
    current,
    addWebhook,
    /** Stores a delivery of an event to the current webhook. The event itself needs no row. */
    addDelivery: (
      createdAtMs: number,
      overrides: Partial<StoredDelivery> & { ttl?: number } = {},
      eventId = drawId('evt', createdAtMs),
    ) => {
      const { caller, webhook } = current;
      return putDelivery(tables, { owner: caller.owner, webhookId: webhook.id, eventId, createdAtMs }, overrides);
    },
    /** Stores an event, without fan-out. */
    addEvent: (event: StoredEvent) =>
      executeStatements(tables.client, [
        insertStatement(tables.domainTable, { ...event, ...eventKey(event.owner, event.id), kind: 'event' }),
      ]),
    /** The account's rows of one kind in the domain table, such as `event` or `command`. */
    rowsOfKind: async (kind: string) =>
      (await rowsHolding(tables, tables.domainTable, current.caller.owner)).filter((row) => row.kind === kind),
  };
};
