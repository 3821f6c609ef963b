import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  type Attempt,
  type DeliveryTicket,
  type StoredDelivery,
  storedDeliverySchema,
} from '../../domain/deliveries/delivery.ts';
import type { DeliveryChange } from '../../domain/deliveries/transitions.ts';
import { type StoredEvent, storedEventSchema } from '../../domain/events/event.ts';
import { webhookOfDelivery } from '../../domain/foundation/id.ts';
import { retentionOf } from '../../domain/foundation/retention.ts';
import type { ReceiverSpeed } from '../../domain/sending/slow-lane.ts';
import type { Health } from '../../domain/sending/webhook-health.ts';
import { type StoredWebhook, storedWebhookSchema } from '../../domain/webhooks/webhook.ts';
import { batchGet } from '../aws/batch-get.ts';
import { executeStatements, insertStatement, updateStatement } from '../aws/statements.ts';
import { rowOf } from '../rows/row.ts';
import {
  attemptKey,
  attentionPkOf,
  deliveryKey,
  duePkOf,
  eventKey,
  healthKey,
  type Key,
  webhookKey,
} from '../rows/table-keys.ts';
import { rowToReceiverSpeed } from './receiver-speed.ts';

export interface DeliveryRows {
  readonly delivery: StoredDelivery | null;
  readonly event: StoredEvent | null;
  readonly webhook: StoredWebhook | null;
  readonly receiverSpeed: ReceiverSpeed;
  readonly health: Health;
}

/** A row up to here costs one write unit with the rest of the delivery; a longer answer gets a row of its own. */
const LONGEST_INLINE_BODY_BYTES = 300;

const isLong = (attempt: Attempt | null): boolean =>
  Buffer.byteLength(attempt?.response_body ?? '') > LONGEST_INLINE_BODY_BYTES;

const attemptRow = (delivery: StoredDelivery, attempt: Attempt, ttl: number) => ({
  ...attemptKey(delivery.id, attempt.number),
  kind: 'attempt',
  ...rowOf(attempt),
  ttl,
});

const inline = (attempt: Attempt): Record<string, unknown> =>
  rowOf({
    ...attempt,
    ...(isLong(attempt) ? { response_body: null, has_body_row: true } : { has_body_row: null }),
  });

export const createDeliveriesTable = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
) => {
  const secondsFrom = (timeMs: number, days: number): number => Math.ceil(timeMs / 1000) + days * 86_400;

  const changeStatements = ({ before, after }: DeliveryChange) => {
    const keptDays = retentionOf(after.retention_days, retentionDays);
    const isOwed = after.status === 'pending' || after.status === 'failed';
    // Every row but a first attempt's has been in the attention index; it can leave by one removal less when it is
    // moved there instead: the engines take only one REMOVE, and that is the due index's.
    const attention = after.status !== 'delivered' || before.ticket > 1 ? attentionPkOf(after.id, after.status) : null;
    const update = updateStatement(
      tables.delivery,
      deliveryKey(after.id),
      {
        status: after.status,
        ticket: after.ticket,
        step: after.step,
        attempts_made: after.attempts_made,
        attempts_refused: after.attempts_refused,
        refused_at: after.refused_at,
        trigger: after.trigger,
        due_at: after.due_at,
        parked: after.parked,
        has_slot: after.has_slot || before.has_slot ? after.has_slot : null,
        settled_at: after.settled_at,
        last: after.last ? JSON.stringify(inline(after.last)) : null,
        att_pk: attention,
        due_pk: isOwed ? duePkOf(after.id) : null,
        // A row that still owes never expires.
        ttl: after.settled_at === null ? null : secondsFrom(after.settled_at, keptDays),
      },
      { ticket: before.ticket },
      isOwed ? undefined : 'due_pk',
    );
    const attempts = [
      ...(before.last && before.last.number !== after.last?.number && !before.last.has_body_row ? [before.last] : []),
      ...(after.last && after.last !== before.last && isLong(after.last) ? [after.last] : []),
    ];
    const ttl = secondsFrom(after.due_at, keptDays + 14);
    return [update, ...attempts.map((attempt) => insertStatement(tables.delivery, attemptRow(after, attempt, ttl)))];
  };

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
          health: {
            failingSince: typeof healthRow?.failing_since === 'number' ? healthRow.failing_since : null,
            isFailingEmitted: healthRow?.failing_emitted === true,
          },
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
      const statements = changes.map(changeStatements);
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
