import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { deliveryKey, healthKey, type Key } from '../../lambdas/adapters/rows/table-keys.ts';
import type { RedeliverCommand } from '../../lambdas/domain/deliveries/command.ts';
import type { StoredEvent } from '../../lambdas/domain/events/event.ts';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { rowsHolding } from './api-caller.ts';
import type { Tables } from './tables.ts';
import { type Answering, anEvent, aWebhook, createVirtualEngine } from './virtual-engine.ts';

const HOUR_MS = 3_600_000;

export interface RedeliveryOptions {
  readonly webhook?: Partial<StoredWebhook>;
  readonly event?: (webhook: StoredWebhook) => Partial<StoredEvent>;
  readonly owner?: string;
}

/**
 * The virtual engine with one webhook and one event, which is published and sent once. It starts two days ago, so that
 * calls of the API see its rows as unexpired.
 */
export const startRedelivery = async (tables: Tables, answer: Answering, options: RedeliveryOptions = {}) => {
  const startMs = Date.now() - 48 * HOUR_MS;
  const owner = options.owner === undefined ? {} : { owner: options.owner };
  const engine = createVirtualEngine(tables, answer, { startMs, ...owner });
  const webhook = aWebhook(options.webhook, startMs);
  await engine.addWebhooks(webhook);
  const event = anEvent(options.event?.(webhook), startMs);
  const id = deliveryId(startMs, event.id, webhook.id);
  await engine.publish(event);
  await engine.passUntil(startMs + 1000);

  const read = async (TableName: string, key: Key) => {
    const Key = marshall(key);
    const { Item } = await tables.client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
    return Item ? unmarshall(Item) : undefined;
  };
  const commandOf = (trigger: 'manual' | 'replay', over: Partial<RedeliverCommand> = {}): RedeliverCommand => ({
    id: `${trigger}#${id}`,
    owner: engine.owner,
    type: 'redeliver',
    trigger,
    event_id: event.id,
    event_type: event.type,
    delivery_ids: [id],
    ...over,
  });
  return {
    engine,
    webhook,
    event,
    id,
    startMs,
    commandOf,
    /** Runs a command of a manual retry or a replay. */
    redeliver: (...args: Parameters<typeof commandOf>) =>
      engine.fanOut([{ kind: 'command', command: commandOf(...args) }]),
    /** Runs the command that releases the webhook's held deliveries. */
    release: () =>
      engine.fanOut([
        {
          kind: 'command',
          command: { id: `release#${id}`, owner: engine.owner, type: 'release', webhook_id: webhook.id },
        },
      ]),
    passHours: (hours: number) => engine.passUntil(startMs + hours * HOUR_MS),
    row: () => read(tables.deliveryTable, deliveryKey(id)),
    health: () => read(tables.deliveryTable, healthKey(webhook.id)),
    /** The types of the operational events about the webhook, sorted. */
    operationalEvents: async () =>
      (await rowsHolding(tables, tables.domainTable, engine.owner))
        .filter(({ about }) => about === webhook.id)
        .map(({ type }) => String(type))
        .toSorted(),
  };
};
