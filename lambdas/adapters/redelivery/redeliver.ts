import type { BatchStatementRequest, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { OweCommand } from '../../domain/deliveries/command.ts';
import {
  type DeliveryStatus,
  type DeliveryTicket,
  newDelivery,
  type StoredDelivery,
  storedDeliverySchema,
  type Trigger,
  ticketOf,
} from '../../domain/deliveries/delivery.ts';
import { afterAsking } from '../../domain/deliveries/transitions.ts';
import type { StoredEvent } from '../../domain/events/event.ts';
import { timeOfId, webhookOfDelivery } from '../../domain/foundation/id.ts';
import { batchGet, type Row } from '../aws/batch-get.ts';
import { executeStatements, insertStatement, updateStatement } from '../aws/statements.ts';
import type { createKeptEvents } from '../maintenance/event-retention.ts';
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
export interface Asking {
  readonly id: string;
  readonly owner: string;
  readonly trigger: Extract<Trigger, 'manual' | 'replay' | 'recover'>;
  /** What deliveries are of that are not there yet; `null`: then they are left alone. */
  readonly event: Pick<StoredEvent, 'id' | 'type' | 'retention_days'> | null;
  /** Only of deliveries that stand so. */
  readonly statuses: readonly DeliveryStatus[] | null;
  readonly deliveryIds: readonly string[];
  /** The request that wants it. */
  readonly askedBy: string | undefined;
}

const SETTLED = ['delivered', 'dead', 'cancelled'] as const;

/** A command's wish. An attempt by hand is for what is settled; what owes again meanwhile gets its attempt anyway. */
const askingOf = ({
  id,
  owner,
  trigger,
  event_id,
  event_type,
  retention_days,
  delivery_ids,
  call,
}: OweCommand): Asking => ({
  id,
  owner,
  trigger,
  event: { id: event_id, type: event_type, retention_days },
  statuses: trigger === 'manual' ? SETTLED : null,
  deliveryIds: delivery_ids,
  askedBy: call?.request_id,
});

interface Step {
  readonly after: StoredDelivery;
  /** `null`: done by an earlier run of the same command, which may have died before the message. */
  readonly statement: BatchStatementRequest | null;
}

export type OwedRows = ReturnType<typeof createOwedRows>;

/** Deliveries that somebody wants sent again. Each row notes by which command it was `asked`, so that one that runs twice counts once. */
export const createOwedRows = (
  client: DynamoDBClient,
  deliveryTable: string,
  recount: Recount,
  keepEvents: ReturnType<typeof createKeptEvents>,
) => {
  const askUpdate = (before: StoredDelivery, after: StoredDelivery, { id, askedBy }: Asking): BatchStatementRequest =>
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
        asked: id,
        asked_by: askedBy,
      },
      { ticket: before.ticket },
      // What owes never expires.
      'ttl',
      ['settled_at'],
    );

  const stepOf = (asking: Asking, id: string, row: Row | null, nowMs: number): Step | null => {
    const { owner, trigger, event, statuses } = asking;
    if (!row) {
      if (!event) return null;
      const told = { ...event, owner, created_at: new Date(timeOfId(id)).toISOString() };
      const after: StoredDelivery = { ...newDelivery(told, webhookOfDelivery(id)), trigger, due_at: nowMs };
      const inserted = { ...deliveryRow(after), due_pk: duePkOf(id), asked: asking.id, asked_by: asking.askedBy };
      return { after, statement: insertStatement(deliveryTable, inserted) };
    }
    const delivery = storedDeliverySchema.parse(row);
    if (row.asked === asking.id) {
      return delivery.status === 'pending' && !delivery.parked ? { after: delivery, statement: null } : null;
    }
    if (statuses && !statuses.includes(delivery.status)) return null;
    const after = afterAsking(delivery, trigger, nowMs);
    return { after, statement: askUpdate(delivery, after, asking) };
  };

  const owe = async (asking: Asking, nowMs: number): Promise<DeliveryTicket[]> => {
    const tickets: DeliveryTicket[] = [];
    await recount(
      asking.deliveryIds.map((id) => ({ id, owner: asking.owner })),
      nowMs,
    );
    let open: readonly string[] = asking.deliveryIds;
    for (let round = 0; open.length > 0; round++) {
      if (round === ROUNDS) throw new Error(`${open.length} deliveries change faster than they can be asked for`);
      const find = await batchGet(
        client,
        open.map((id) => ({ table: deliveryTable, key: deliveryKey(id), isConsistent: true })),
      );
      const steps = open.flatMap((id) => stepOf(asking, id, find(deliveryTable, deliveryKey(id)), nowMs) ?? []);
      tickets.push(...steps.filter(({ statement }) => !statement).map(({ after }) => ticketOf(after)));
      const changes = steps.flatMap(({ after, statement }) => (statement ? [{ after, statement }] : []));
      await keepEvents(
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

  return { owe, oweAgain: (command: OweCommand, nowMs: number) => owe(askingOf(command), nowMs) };
};
