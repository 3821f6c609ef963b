import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { eventKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import { startRolled } from './roll-up.ts';
import type { Tables } from './tables.ts';
import { type Answering, anEvent, aWebhook } from './virtual-engine.ts';

export const DAY_MS = 86_400_000;

/** A webhook with the longest possible schedule, which is not disabled during that schedule. */
export const aPatientWebhook = (enabled: boolean) =>
  aWebhook({ enabled, auto_disable_after_hours: 720, schedule: [604_800, 604_800] });

/** The engine with the roll-up, a webhook (disabled by default) and helpers for tests that last months. */
export const startForMonths = async (
  tables: Tables,
  answer: Answering = () => ({ status: 200 }),
  webhook = aPatientWebhook(false),
  retention_days?: number,
) => {
  const base = await startRolled(tables, answer, webhook);
  const { engine } = base;
  /** The time this number of days after the start, in milliseconds. */
  const day = (days: number) => engine.startMs + days * DAY_MS;
  const publishOne = async () => {
    const event = anEvent({ retention_days }, engine.now());
    await engine.publish(event);
    return { eventId: event.id, id: deliveryId(engine.now(), event.id, webhook.id) };
  };
  /** Passes time until that day. Each day retention is extended, unless switched off, and expired rows are deleted. */
  const passDays = async (untilDay: number, extendsRetention = true) => {
    while (engine.now() < day(untilDay)) {
      await engine.passUntil(Math.min(engine.now() + DAY_MS, day(untilDay)));
      if (extendsRetention) await engine.extendRetention();
      await engine.expire();
    }
  };
  const eventRow = async (id: string) => {
    const Key = marshall(eventKey(engine.owner, id));
    const { Item } = await tables.client.send(
      new GetItemCommand({ TableName: tables.domainTable, Key, ConsistentRead: true }),
    );
    return Item ? unmarshall(Item) : null;
  };
  /** The day on which the event's row expires; null if there is no row. */
  const endsOnDay = async (id: string) => {
    const row = await eventRow(id);
    return row && (row.ttl * 1000 - engine.startMs) / DAY_MS;
  };
  /** Enables the webhook and releases its held deliveries. */
  const enable = async () => {
    await engine.putWebhook({ ...webhook, enabled: true });
    const release = { id: 'resume', type: 'release' as const, owner: engine.owner, webhook_id: webhook.id };
    await engine.fanOut([{ kind: 'command', command: release }]);
    await engine.passUntil(engine.now() + 1000);
  };
  return { ...base, day, publishOne, passDays, eventRow, endsOnDay, enable };
};
