import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type DeliveryTicket, type StoredDelivery, storedDeliverySchema } from '../../domain/deliveries/delivery.ts';
import type { DeliveryChange } from '../../domain/deliveries/transitions.ts';
import { type StoredEvent, storedEventSchema } from '../../domain/events/event.ts';
import { webhookOfDelivery } from '../../domain/foundation/id.ts';
import type { ReceiverSpeed } from '../../domain/sending/slow-lane.ts';
import type { Health } from '../../domain/sending/webhook-health.ts';
import { type StoredWebhook, storedWebhookSchema } from '../../domain/webhooks/webhook.ts';
import { batchGet } from '../aws/batch-get.ts';
import { executeStatements, insertStatement, updateStatement } from '../aws/statements.ts';
import { attemptRows, deliveryUpdate } from '../rows/delivery-row.ts';
import { rowToHealth, rowToReceiverSpeed } from '../rows/health-row.ts';
import { deliveryKey, eventKey, healthKey, type Key, webhookKey } from '../rows/table-keys.ts';

export interface DeliveryRows {
  readonly delivery: StoredDelivery | null;
  readonly event: StoredEvent | null;
  readonly webhook: StoredWebhook | null;
  readonly receiverSpeed: ReceiverSpeed;
  readonly health: Health;
}

export const createDeliveriesTable = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
) => {
  const statementsOf = (change: DeliveryChange) => [
    updateStatement(tables.delivery, deliveryUpdate(change, retentionDays)),
    ...attemptRows(change, retentionDays).map((row) => insertStatement(tables.delivery, row)),
  ];

  /** Whether a change that was not taken had been taken before, by a call whose answer got lost. */
  const wasOurs = async (changes: readonly DeliveryChange[]): Promise<boolean[]> => {
    const find = await batchGet(
      client,
      changes.map(({ after }) => ({ table: tables.delivery, key: deliveryKey(after.id), isConsistent: true })),
    );
    return changes.map(({ after }) => {
      const row = find(tables.delivery, deliveryKey(after.id));
      if (row?.ticket !== after.ticket) return false;
      const { last, status } = storedDeliverySchema.parse(row);
      return last?.started_at === after.last?.started_at && status === after.status;
    });
  };

  return {
    /**
     * The rows that messages are about, all in one call: each delivery as it is now, the rest as it was a moment ago.
     * An error stands for rows that this release cannot read; the others do not wait for them.
     */
    async read(tickets: readonly DeliveryTicket[]): Promise<(DeliveryRows | Error)[]> {
      const keys = tickets.map(({ deliveryId, owner, eventId }) => ({
        delivery: deliveryKey(deliveryId),
        event: eventKey(owner, eventId),
        webhook: webhookKey(owner, webhookOfDelivery(deliveryId)),
        health: healthKey(webhookOfDelivery(deliveryId)),
      }));
      const find = await batchGet(
        client,
        keys.flatMap(({ delivery, event, webhook, health }) => [
          { table: tables.delivery, key: delivery, isConsistent: true },
          { table: tables.delivery, key: health, isConsistent: true },
          { table: tables.domain, key: event, isConsistent: false },
          { table: tables.domain, key: webhook, isConsistent: false },
        ]),
      );
      // What has only just been written may not show yet; what is missing is looked for once more, properly.
      const missing = keys
        .flatMap(({ event, webhook }) => [event, webhook])
        .filter((key) => find(tables.domain, key) === null);
      const findAgain = await batchGet(
        client,
        missing.map((key) => ({ table: tables.domain, key, isConsistent: true })),
      );
      // A batch is mostly about few webhooks: each is parsed once.
      const webhooks = new Map<string, StoredWebhook | null>();
      const webhookAt = (key: Key): StoredWebhook | null => {
        const known = webhooks.get(key.sk);
        if (known !== undefined) return known;
        const row = find(tables.domain, key) ?? findAgain(tables.domain, key);
        const webhook = row ? storedWebhookSchema.parse(row) : null;
        webhooks.set(key.sk, webhook);
        return webhook;
      };
      const readRows = ({ delivery, event, webhook, health }: (typeof keys)[number]): DeliveryRows => {
        const deliveryRow = find(tables.delivery, delivery);
        const eventRow = find(tables.domain, event) ?? findAgain(tables.domain, event);
        const healthRow = find(tables.delivery, health);
        return {
          delivery: deliveryRow ? storedDeliverySchema.parse(deliveryRow) : null,
          event: eventRow ? storedEventSchema.parse(eventRow) : null,
          webhook: webhookAt(webhook),
          receiverSpeed: rowToReceiverSpeed(healthRow),
          health: rowToHealth(healthRow),
        };
      };
      return keys.map((each) => {
        try {
          return readRows(each);
        } catch (error) {
          return error as Error;
        }
      });
    },

    async readWebhooks(webhooks: readonly StoredWebhook[]): Promise<(StoredWebhook | null)[]> {
      const keys = webhooks.map(({ owner, id }) => webhookKey(owner, id));
      const find = await batchGet(
        client,
        keys.map((key) => ({ table: tables.domain, key, isConsistent: true })),
      );
      return keys.map((key) => {
        const row = find(tables.domain, key);
        return row ? storedWebhookSchema.parse(row) : null;
      });
    },

    async record(changes: readonly DeliveryChange[]): Promise<boolean[]> {
      const statements = changes.map(statementsOf);
      const outcomes = await executeStatements(client, statements.flat());
      let position = 0;
      const refused: number[] = [];
      const recorded = statements.map((own, index) => {
        const isRecorded = outcomes[position] === 'done';
        position += own.length;
        if (!isRecorded) refused.push(index);
        return isRecorded;
      });
      if (refused.length === 0) return recorded;
      const ours = await wasOurs(refused.flatMap((index) => changes[index] ?? []));
      refused.forEach((index, at) => {
        recorded[index] = ours[at] === true;
      });
      return recorded;
    },
  };
};
