import type { BatchStatementRequest, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { RedeliverCommand } from '../../domain/deliveries/command.ts';
import {
  type DeliveryStatus,
  type DeliveryTicket,
  newDelivery,
  type StoredDelivery,
  storedDeliverySchema,
  type Trigger,
  ticketOf,
} from '../../domain/deliveries/delivery.ts';
import { rescheduleDelivery } from '../../domain/deliveries/transitions.ts';
import type { StoredEvent } from '../../domain/events/event.ts';
import { timeOfId, webhookOfDelivery } from '../../domain/foundation/id.ts';
import { batchGet, type Row } from '../aws/batch-get.ts';
import { executeStatements, insertStatement, updateStatement } from '../aws/statements.ts';
import type { createEventExtender } from '../maintenance/event-retention.ts';
import type { Recount } from '../maintenance/hour-counts.ts';
import { attentionPkOf, deliveryKey, duePkOf } from '../rows/table-keys.ts';

/** A new delivery's row, without what goes without saying. */
export const deliveryRow = (delivery: StoredDelivery) => ({
  ...deliveryKey(delivery.id),
  kind: 'delivery',
  ...delivery,
  step: delivery.step || null,
  attempts_made: delivery.attempts_made || null,
  parked: null,
  has_slot: null,
  trigger: delivery.trigger === 'schedule' ? null : delivery.trigger,
});

/** A row may change under our hands, by an attempt on its way or by another command; so often it is read again. */
const ROUNDS = 5;

/** What is wanted of which deliveries. `id` tells it from all others. */
export interface Redelivery {
  readonly id: string;
  readonly owner: string;
  readonly trigger: Extract<Trigger, 'manual' | 'replay' | 'recover'>;
  /** What deliveries are of that are not there yet; `null`: then they are left alone. */
  readonly event: Pick<StoredEvent, 'id' | 'type' | 'retention_days'> | null;
  /** Only of deliveries that stand so. */
  readonly statuses: readonly DeliveryStatus[] | null;
  readonly deliveryIds: readonly string[];
  /** The request that wants it. */
  readonly requestedBy: string | undefined;
}

const SETTLED = ['delivered', 'dead', 'cancelled'] as const;

/** A command's wish. An attempt by hand is for what is settled; what owes again meanwhile gets its attempt anyway. */
const redeliveryOf = ({
  id,
  owner,
  trigger,
  event_id,
  event_type,
  retention_days,
  delivery_ids,
  call,
}: RedeliverCommand): Redelivery => ({
  id,
  owner,
  trigger,
  event: { id: event_id, type: event_type, retention_days },
  statuses: trigger === 'manual' ? SETTLED : null,
  deliveryIds: delivery_ids,
  requestedBy: call?.request_id,
});

interface Step {
  readonly after: StoredDelivery;
  /** `null`: done by an earlier run of the same command, which may have died before the message. */
  readonly statement: BatchStatementRequest | null;
}

export type Redeliverer = ReturnType<typeof createRedeliverer>;

/** Deliveries that somebody wants sent again. Each row notes by which command it was `asked`, so that one that runs twice counts once. */
export const createRedeliverer = (
  client: DynamoDBClient,
  deliveryTable: string,
  recount: Recount,
  extendEvents: ReturnType<typeof createEventExtender>,
) => {
  const updateOf = (
    before: StoredDelivery,
    after: StoredDelivery,
    { id, requestedBy }: Redelivery,
  ): BatchStatementRequest =>
    updateStatement(
      deliveryTable,
      deliveryKey(after.id),
      {
        status: after.status,
        ticket: after.ticket,
        step: after.step,
        trigger: after.trigger,
        due_at: after.due_at,
        parked: after.parked,
        has_slot: after.has_slot,
        due_pk: duePkOf(after.id),
        att_pk: attentionPkOf(after.id, after.status),
        command_id: id,
        requested_by: requestedBy,
      },
      { ticket: before.ticket },
      // What owes never expires.
      'ttl',
      ['settled_at'],
    );

  const stepOf = (redelivery: Redelivery, id: string, row: Row | null, nowMs: number): Step | null => {
    const { owner, trigger, event, statuses } = redelivery;
    if (!row) {
      if (!event) return null;
      const told = { ...event, owner, created_at: new Date(timeOfId(id)).toISOString() };
      const after: StoredDelivery = { ...newDelivery(told, webhookOfDelivery(id)), trigger, due_at: nowMs };
      const inserted = {
        ...deliveryRow(after),
        due_pk: duePkOf(id),
        command_id: redelivery.id,
        requested_by: redelivery.requestedBy,
      };
      return { after, statement: insertStatement(deliveryTable, inserted) };
    }
    const delivery = storedDeliverySchema.parse(row);
    if (row.command_id === redelivery.id) {
      return delivery.status === 'pending' && !delivery.parked ? { after: delivery, statement: null } : null;
    }
    if (statuses && !statuses.includes(delivery.status)) return null;
    const after = rescheduleDelivery(delivery, trigger, nowMs);
    return { after, statement: updateOf(delivery, after, redelivery) };
  };

  const redeliverBatch = async (redelivery: Redelivery, nowMs: number): Promise<DeliveryTicket[]> => {
    const tickets: DeliveryTicket[] = [];
    await recount(
      redelivery.deliveryIds.map((id) => ({ id, owner: redelivery.owner })),
      nowMs,
    );
    let open: readonly string[] = redelivery.deliveryIds;
    for (let round = 0; open.length > 0; round++) {
      if (round === ROUNDS) throw new Error(`${open.length} deliveries change faster than they can be asked for`);
      const find = await batchGet(
        client,
        open.map((id) => ({ table: deliveryTable, key: deliveryKey(id), isConsistent: true })),
      );
      const steps = open.flatMap((id) => stepOf(redelivery, id, find(deliveryTable, deliveryKey(id)), nowMs) ?? []);
      tickets.push(...steps.filter(({ statement }) => !statement).map(({ after }) => ticketOf(after)));
      const changes = steps.flatMap(({ after, statement }) => (statement ? [{ after, statement }] : []));
      await extendEvents(
        changes.map(({ after }) => after),
        nowMs,
      );
      const outcomes = await executeStatements(
        client,
        changes.map(({ statement }) => statement),
      );
      tickets.push(...changes.filter((_, i) => outcomes[i] === 'done').map(({ after }) => ticketOf(after)));
      open = changes.filter((_, i) => outcomes[i] !== 'done').map(({ after }) => after.id);
    }
    return tickets;
  };

  return {
    redeliverBatch,
    redeliver: (command: RedeliverCommand, nowMs: number) => redeliverBatch(redeliveryOf(command), nowMs),
  };
};
