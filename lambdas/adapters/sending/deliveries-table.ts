import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type DeliveryTicket, type StoredDelivery, storedDeliverySchema } from '../../domain/deliveries/delivery.ts';
import type { DeliveryChange } from '../../domain/deliveries/transitions.ts';
import { type StoredEvent, storedEventSchema } from '../../domain/events/event.ts';
import { webhookOfDelivery } from '../../domain/foundation/id.ts';
import { accountOf } from '../../domain/foundation/owner.ts';
import type { ReceiverSpeed } from '../../domain/sending/slow-lane.ts';
import type { Health } from '../../domain/sending/webhook-health.ts';
import { type StoredWebhook, storedWebhookSchema } from '../../domain/webhooks/webhook.ts';
import { batchGet } from '../aws/batch-get.ts';
import { executeStatements, insertStatement, updateStatement } from '../aws/statements.ts';
import { rowToAccountLimit } from '../rows/account-limit-row.ts';
import { attemptRows, deliveryUpdate } from '../rows/delivery-row.ts';
import { rowToHealth, rowToReceiverSpeed } from '../rows/health-row.ts';
import { accountLimitKey, deliveryKey, eventKey, healthKey, type Key, webhookKey } from '../rows/table-keys.ts';

/** The rows that the attempt of one message needs; null if a row does not exist. */
export interface DeliveryRows {
  readonly delivery: StoredDelivery | null;
  readonly event: StoredEvent | null;
  readonly webhook: StoredWebhook | null;
  readonly receiverSpeed: ReceiverSpeed;
  readonly health: Health;
  /** The account's `deliveries_per_minute`. */
  readonly accountLimit: number;
}

/** Reads the rows that attempts need, and records the results of attempts. */
export const createDeliveriesTable = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
) => {
  const statementsOf = (change: DeliveryChange) => [
    updateStatement(tables.delivery, deliveryUpdate(change, retentionDays)),
    ...attemptRows(change, retentionDays).map((row) => insertStatement(tables.delivery, row)),
  ];

  /**
   * Returns for each refused change whether an earlier try of the same call has written it. The SDK retries a write
   * whose response was lost, and the retry is then refused.
   */
  const wereWrittenBefore = async (changes: readonly DeliveryChange[]): Promise<boolean[]> => {
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
     * Reads the rows for a batch of messages in one call. Deliveries and health are read consistently, events and
     * webhooks with eventual consistency. A result is an error where this release cannot parse the rows of a message;
     * the other messages do not fail.
     */
    async read(tickets: readonly DeliveryTicket[]): Promise<(DeliveryRows | Error)[]> {
      const keys = tickets.map(({ deliveryId, owner, eventId }) => ({
        delivery: deliveryKey(deliveryId),
        event: eventKey(owner, eventId),
        webhook: webhookKey(owner, webhookOfDelivery(deliveryId)),
        health: healthKey(webhookOfDelivery(deliveryId)),
        limit: accountLimitKey(accountOf(owner)),
      }));
      const find = await batchGet(
        client,
        keys.flatMap(({ delivery, event, webhook, health, limit }) => [
          { table: tables.delivery, key: delivery, isConsistent: true },
          { table: tables.delivery, key: health, isConsistent: true },
          { table: tables.domain, key: event, isConsistent: false },
          { table: tables.domain, key: webhook, isConsistent: false },
          { table: tables.domain, key: limit, isConsistent: false },
        ]),
      );
      // An eventually consistent read may miss a new row, so missing rows are read again consistently.
      const missing = keys
        .flatMap(({ event, webhook }) => [event, webhook])
        .filter((key) => find(tables.domain, key) === null);
      const findAgain = await batchGet(
        client,
        missing.map((key) => ({ table: tables.domain, key, isConsistent: true })),
      );
      // The messages of a batch share few webhooks, so each webhook is parsed once.
      const webhooks = new Map<string, StoredWebhook | null>();
      const webhookAt = (key: Key): StoredWebhook | null => {
        const parsed = webhooks.get(key.sk);
        if (parsed !== undefined) return parsed;
        const row = find(tables.domain, key) ?? findAgain(tables.domain, key);
        const webhook = row ? storedWebhookSchema.parse(row) : null;
        webhooks.set(key.sk, webhook);
        return webhook;
      };
      const parseRows = ({ delivery, event, webhook, health, limit }: (typeof keys)[number]): DeliveryRows => {
        const deliveryRow = find(tables.delivery, delivery);
        const eventRow = find(tables.domain, event) ?? findAgain(tables.domain, event);
        const healthRow = find(tables.delivery, health);
        return {
          delivery: deliveryRow ? storedDeliverySchema.parse(deliveryRow) : null,
          event: eventRow ? storedEventSchema.parse(eventRow) : null,
          webhook: webhookAt(webhook),
          receiverSpeed: rowToReceiverSpeed(healthRow),
          health: rowToHealth(healthRow),
          accountLimit: rowToAccountLimit(find(tables.domain, limit)),
        };
      };
      return keys.map((rowKeys) => {
        try {
          return parseRows(rowKeys);
        } catch (error) {
          return error as Error;
        }
      });
    },

    /** Reads webhooks again, consistently; null where a webhook does not exist. */
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

    /** Writes changes of deliveries with their attempts. Returns for each change whether it is written. */
    async record(changes: readonly DeliveryChange[]): Promise<boolean[]> {
      const statements = changes.map(statementsOf);
      const outcomes = await executeStatements(client, statements.flat());
      let position = 0;
      const refused: number[] = [];
      const recorded = statements.map((ownStatements, index) => {
        const isRecorded = outcomes[position] === 'done';
        position += ownStatements.length;
        if (!isRecorded) refused.push(index);
        return isRecorded;
      });
      if (refused.length === 0) return recorded;
      const writtenBefore = await wereWrittenBefore(refused.flatMap((index) => changes[index] ?? []));
      refused.forEach((index, refusedIndex) => {
        recorded[index] = writtenBefore[refusedIndex] === true;
      });
      return recorded;
    },
  };
};
