import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { eventKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import { startRolled } from './roll-up.ts';
import type { Tables } from './tables.ts';
import { type Answering, anEvent, aWebhook } from './virtual-engine.ts';

export const DAY_MS = 86_400_000;

/** A webhook with the longest waits, which refusals alone do not disable. */
export const aPatientWebhook = (enabled: boolean) =>
  aWebhook({ enabled, auto_disable_after_hours: 720, schedule: [604_800, 604_800] });

/** The engine, with a webhook that is off unless told otherwise, for the months that a delivery may be owed. */
export const startForMonths = async (
  tables: Tables,
  answer: Answering = () => ({ status: 200 }),
  webhook = aPatientWebhook(false),
  retention_days?: number,
) => {
  const rolled = await startRolled(tables, answer, webhook);
  const { engine } = rolled;
  const day = (days: number) => engine.startMs + days * DAY_MS;
  const publishOne = async () => {
    const event = anEvent({ retention_days }, engine.now());
    await engine.publish(event);
    return { eventId: event.id, id: deliveryId(engine.now(), event.id, webhook.id) };
  };
  /** Time as it passes with its ticks, and with DynamoDB deleting what has expired. */
  const passDays = async (until: number, retainsData = true) => {
    while (engine.now() < day(until)) {
      await engine.passUntil(Math.min(engine.now() + DAY_MS, day(until)));
      if (retainsData) await engine.keep();
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
  const endsOnDay = async (id: string) => {
    const row = await eventRow(id);
    return row && (row.ttl * 1000 - engine.startMs) / DAY_MS;
  };
  const enable = async () => {
    await engine.putWebhook({ ...webhook, enabled: true });
    const resume = { id: 'resume', type: 'release' as const, owner: engine.owner, webhook_id: webhook.id };
    await engine.fanOut([{ kind: 'command', command: resume }]);
    await engine.passUntil(engine.now() + 1000);
  };
  return { ...rolled, day, publishOne, passDays, eventRow, endsOnDay, enable };
};
