import type { DeliveryTicket, StoredDelivery } from '../deliveries/delivery.ts';
import type { DeliveryChange } from '../deliveries/transitions.ts';
import type { StoredEvent } from '../events/event.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';
import type { Attempted } from './attempt-delivery.ts';
import type { Assignment, AssignmentWith, Lane } from './triage.ts';

/** The outcome of one queue message. The log line and the metrics show it. */
export type Outcome =
  | 'delivered'
  | 'refused'
  | 'dead'
  | 'gone'
  | 'held'
  | 'cancelled'
  | 'discarded' // no attempt: the delivery is missing, settled or held, or the message is stale or a duplicate
  | 'resent' // a new message was sent: this one came too early, or the delivery's next one may be lost
  | 'forwarded' // the message was sent to the slow lane's queue
  | 'paced' // the webhook's rate limit or a probe postpones the attempt
  | 'superseded' // not recorded: the row changed meanwhile, for example by a duplicate message
  | 'failed'; // our own failure: the queue hands the message out again

/** The outcome of one message, with everything that its log line needs. */
export interface DeliveryOutcome {
  readonly messageId: string;
  readonly outcome: Outcome;
  readonly ticket: DeliveryTicket;
  readonly webhook: StoredWebhook | null;
  readonly event: StoredEvent | null;
  /** The delivery's row before this batch changed it. */
  readonly delivery: StoredDelivery | null;
  readonly attempted: Attempted | null;
  /** The error because of which the message's outcome is `failed`. */
  readonly cause: unknown;
}

/**
 * A delivery whose change waits to be recorded. Once the change is recorded, `outcome` becomes the message's outcome.
 */
export interface FinishedDelivery {
  readonly assignment: Assignment;
  readonly change: DeliveryChange;
  readonly outcome: Outcome;
  readonly attempted: Attempted | null;
}

/** The state of one batch: the outcomes of its messages, and the finished deliveries that wait to be recorded. */
export interface BatchRun {
  readonly lane: Lane;
  readonly outcomes: readonly DeliveryOutcome[];
  /** Sets the outcome of one message. */
  conclude(assignment: Assignment, outcome: Outcome, attempted?: Attempted | null): void;
  /** Sets the outcome `failed` for several messages, so that the queue hands them out again. */
  fail(assignments: readonly Assignment[], cause: unknown): void;
  /** Adds a delivery to the finished deliveries, which `recordFinished` writes next. */
  finish(finished: FinishedDelivery): void;
  /**
   * Adds a delivery that was not attempted, with its new row, to the finished deliveries, which `recordFinished` writes
   * next.
   */
  finishUnattempted(
    assignment: AssignmentWith<'delivery'>,
    outcome: 'cancelled' | 'held' | 'paced',
    after: StoredDelivery,
  ): void;
  /** Removes and returns the deliveries that wait to be recorded. */
  takeFinished(): readonly FinishedDelivery[];
}

export const createBatchRun = (lane: Lane): BatchRun => {
  const outcomes: DeliveryOutcome[] = [];
  let unrecorded: FinishedDelivery[] = [];
  const add = (assignment: Assignment, outcome: Outcome, attempted: Attempted | null, cause: unknown): void => {
    const { messageId, ticket, webhook, event, delivery } = assignment;
    outcomes.push({ messageId, ticket, webhook, event, delivery, outcome, attempted, cause });
  };
  const finish = (finished: FinishedDelivery): void => {
    unrecorded.push(finished);
  };
  return {
    lane,
    outcomes,
    conclude: (assignment, outcome, attempted = null) => add(assignment, outcome, attempted, null),
    fail(assignments, cause) {
      for (const assignment of assignments) add(assignment, 'failed', null, cause);
    },
    finish,
    finishUnattempted: (assignment, outcome, after) =>
      finish({ assignment, change: { before: assignment.delivery, after }, outcome, attempted: null }),
    takeFinished() {
      const taken = unrecorded;
      unrecorded = [];
      return taken;
    },
  };
};
