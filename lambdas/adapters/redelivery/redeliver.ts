import type { BatchStatementRequest, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { RedeliverCommand } from '../../domain/deliveries/command.ts';
import {
  type DeliveryTicket,
  isHeld,
  isWaiting,
  newDelivery,
  type StoredDelivery,
  storedDeliverySchema,
  type Trigger,
  ticketOf,
} from '../../domain/deliveries/delivery.ts';
import { isUnderWay } from '../../domain/deliveries/retry-schedule.ts';
import { rescheduleDelivery } from '../../domain/deliveries/transitions.ts';
import type { StoredEvent } from '../../domain/events/event.ts';
import { timeOfId, webhookOfDelivery } from '../../domain/foundation/id.ts';
import { batchGet, type Row } from '../aws/batch-get.ts';
import { executeStatements, insertStatement, updateStatement } from '../aws/statements.ts';
import type { EventExtension } from '../maintenance/event-retention.ts';
import type { HourMarks } from '../maintenance/hour-counts.ts';
import { deliveryUpdate, newDeliveryRow } from '../rows/delivery-row.ts';
import { deliveryKey } from '../rows/table-keys.ts';

/**
 * The maximum number of rounds of reading and writing the same deliveries. An attempt or another command may change a
 * row between read and write; the next round then reads the row again.
 */
const MAX_ROUNDS = 5;

/** A request to redeliver deliveries of one owner. */
export interface Redelivery {
  /**
   * The id of the command or the job. A delivery whose row has this id was rescheduled by an earlier run of the same
   * command.
   */
  readonly id: string;
  readonly owner: string;
  readonly trigger: Extract<Trigger, 'manual' | 'replay' | 'recover'>;
  /** The event from which missing deliveries are created; null: no delivery is created. */
  readonly event:
    | (Pick<StoredEvent, 'id' | 'type' | 'retention_days'> & { readonly test?: boolean | undefined })
    | null;
  /** Returns whether a delivery is rescheduled; the others stay as they are. */
  readonly isSelected: (delivery: StoredDelivery, nowMs: number) => boolean;
  readonly deliveryIds: readonly string[];
  /** The id of the API request that submitted the command. */
  readonly requestedBy: string | undefined;
}

/**
 * Returns whether a manual retry still reschedules the delivery: no attempt was made or began since the request, and the
 * webhook was not disabled meanwhile. `attemptsMade` is undefined in a command of an earlier release.
 */
const isStillToRetry = (delivery: StoredDelivery, attemptsMade: number | undefined, nowMs: number): boolean =>
  !isHeld(delivery) &&
  !(isWaiting(delivery) && isUnderWay(delivery.due_at, nowMs)) &&
  delivery.attempts_made === (attemptsMade ?? delivery.attempts_made);

/**
 * Returns whether a delivery that a command rescheduled still waits for the attempt that the command requested, so that
 * its message may not be sent yet.
 */
const isStillToSend = (delivery: StoredDelivery, trigger: Redelivery['trigger']): boolean =>
  isWaiting(delivery) && !delivery.parked && (delivery.trigger === trigger || delivery.sent_now === true);

/** Returns the redelivery that a command requests. A replay reschedules deliveries in every status. */
const redeliveryOf = ({
  id,
  owner,
  trigger,
  event_id,
  event_type,
  retention_days,
  delivery_ids,
  attempts_made,
  test,
  call,
}: RedeliverCommand): Redelivery => ({
  id,
  owner,
  trigger,
  event: { id: event_id, type: event_type, retention_days, test },
  isSelected: (delivery, nowMs) => trigger !== 'manual' || isStillToRetry(delivery, attempts_made, nowMs),
  deliveryIds: delivery_ids,
  requestedBy: call?.request_id,
});

interface Step {
  readonly after: StoredDelivery;
  /**
   * The statement that changes the row; null if an earlier run of the same command changed the row, so that only the
   * message is sent again.
   */
  readonly statement: BatchStatementRequest | null;
}

export type Redeliverer = ReturnType<typeof createRedeliverer>;

/** Reschedules deliveries that people request again. A command that runs twice reschedules each delivery once. */
export const createRedeliverer = (
  client: DynamoDBClient,
  deliveryTable: string,
  retentionDays: number,
  { markForRecount, extendEvents }: HourMarks & EventExtension,
) => {
  const creationOf = (redelivery: Redelivery, id: string, nowMs: number): Step | null => {
    const { id: commandId, owner, trigger, event, requestedBy } = redelivery;
    if (!event) return null;
    const source = { ...event, owner, created_at: new Date(timeOfId(id)).toISOString() };
    const created = newDelivery(source, webhookOfDelivery(id));
    const after: StoredDelivery = { ...created, trigger, due_at: nowMs, test: event.test };
    const row = newDeliveryRow(after, { isDue: true, commandId, requestedBy });
    return { after, statement: insertStatement(deliveryTable, row) };
  };

  const stepOf = (redelivery: Redelivery, id: string, row: Row | null, nowMs: number): Step | null => {
    if (!row) return creationOf(redelivery, id, nowMs);
    const { id: commandId, trigger, isSelected, requestedBy } = redelivery;
    const before = storedDeliverySchema.parse(row);
    if (row.command_id === commandId) {
      return isStillToSend(before, trigger) ? { after: before, statement: null } : null;
    }
    if (!isSelected(before, nowMs)) return null;
    const after = rescheduleDelivery(before, trigger, nowMs);
    const update = deliveryUpdate({ before, after }, retentionDays, { commandId, requestedBy });
    return { after, statement: updateStatement(deliveryTable, update) };
  };

  /**
   * Reschedules the deliveries whose rows do not change between read and write. Returns the tickets to send, and the
   * ids of the deliveries whose rows changed.
   */
  const runRound = async (redelivery: Redelivery, ids: readonly string[], nowMs: number) => {
    const find = await batchGet(
      client,
      ids.map((id) => ({ table: deliveryTable, key: deliveryKey(id), isConsistent: true })),
    );
    const steps = ids.flatMap((id) => stepOf(redelivery, id, find(deliveryTable, deliveryKey(id)), nowMs) ?? []);
    const rescheduledBefore = steps.filter(({ statement }) => !statement);
    const changes = steps.flatMap(({ after, statement }) => (statement ? [{ after, statement }] : []));
    await extendEvents(
      changes.map(({ after }) => after),
      nowMs,
    );
    const outcomes = await executeStatements(
      client,
      changes.map(({ statement }) => statement),
    );
    const rescheduled = changes.filter((_, index) => outcomes[index] === 'done');
    return {
      tickets: [...rescheduledBefore, ...rescheduled].map(({ after }) => ticketOf(after)),
      changedMeanwhile: changes.filter((_, index) => outcomes[index] !== 'done').map(({ after }) => after.id),
    };
  };

  /**
   * Redelivers deliveries in rounds until no row has changed between read and write. Returns the tickets to send.
   * Throws after five rounds.
   */
  const redeliverBatch = async (redelivery: Redelivery, nowMs: number): Promise<DeliveryTicket[]> => {
    const { owner, deliveryIds } = redelivery;
    await markForRecount(
      deliveryIds.map((id) => ({ id, owner })),
      nowMs,
    );
    const tickets: DeliveryTicket[] = [];
    let open = deliveryIds;
    for (let round = 0; open.length > 0; round++) {
      if (round === MAX_ROUNDS) throw new Error(`${open.length} deliveries changed in each of ${MAX_ROUNDS} rounds`);
      const { tickets: sendable, changedMeanwhile } = await runRound(redelivery, open, nowMs);
      tickets.push(...sendable);
      open = changedMeanwhile;
    }
    return tickets;
  };

  return {
    redeliverBatch,
    redeliver: (command: RedeliverCommand, nowMs: number) => redeliverBatch(redeliveryOf(command), nowMs),
  };
};
