import { cancelDelivery, holdDelivery } from '../deliveries/transitions.ts';
import { type AttemptGroupDependencies, attemptGroup } from './attempt-group.ts';
import { type BatchRun, createBatchRun, type DeliveryOutcome } from './batch-run.ts';
import { type RecordDependencies, recordFinished } from './record-batch.ts';
import { sendMessages } from './send-messages.ts';
import { isDoneWithin, SLOW_AFTER_MS } from './slow-lane.ts';
import { type Assignment, type AssignmentWith, type Lane, type TriagedBatch, triageBatch } from './triage.ts';
import { emitDeadAgain } from './webhook-health.ts';

export interface DeliverDependencies extends AttemptGroupDependencies, RecordDependencies {
  readonly store: AttemptGroupDependencies['store'] & RecordDependencies['store'];
  readonly queue: AttemptGroupDependencies['queue'];
}

/** Milliseconds after which the finished deliveries of a batch are recorded, while the slow ones still run. */
const EARLY_RECORD_MS = 2 * SLOW_AFTER_MS;

/**
 * Delivers the messages of a batch concurrently: makes the attempts, records them and sends the messages for the next
 * attempts. Returns the outcome of each message. An error that concerns one message becomes the outcome `failed` of
 * that message and does not affect the others.
 */
export const deliverBatch = async (
  assignments: readonly Assignment[],
  lane: Lane,
  deps: DeliverDependencies,
): Promise<readonly DeliveryOutcome[]> => {
  const run = createBatchRun(lane);
  const triaged = triageBatch(assignments, lane, deps.clock());
  finishWithoutCalls(run, triaged, deps.clock());
  const work = startWork(run, triaged, deps);
  await isDoneWithin(work, EARLY_RECORD_MS);
  await recordFinished(run, deps);
  await work;
  await recordFinished(run, deps);
  return run.outcomes;
};

/** Finishes the messages that need no call of a queue, a table or a receiver: those to discard, cancel or hold. */
const finishWithoutCalls = (run: BatchRun, { discard, cancel, hold }: TriagedBatch, nowMs: number): void => {
  for (const assignment of discard) run.conclude(assignment, 'discarded');
  for (const assignment of cancel) {
    run.finishUnattempted(assignment, 'cancelled', cancelDelivery(assignment.delivery, nowMs));
  }
  for (const assignment of hold) run.finishUnattempted(assignment, 'held', holdDelivery(assignment.delivery));
};

/** Processes the messages that need calls of a queue, a table or a receiver, all concurrently. Never rejects. */
const startWork = async (
  run: BatchRun,
  { resend, forward, emitDead, attempt }: TriagedBatch,
  deps: DeliverDependencies,
): Promise<void> => {
  await Promise.all([
    sendMessages(run, resend, 'resent', deps.queue, deps.clock()),
    sendMessages(run, forward, 'forwarded', deps.slowQueue, deps.clock()),
    ...emitDead.map((assignment) => emitMissingDead(run, assignment, deps)),
    ...[...attempt.values()].map((group) => attemptGroup(run, group, deps)),
  ]);
};

/**
 * Emits `delivery.dead` for a dead delivery unless that event exists: the function that recorded the last attempt may
 * have died before it emitted the event. Never throws.
 */
const emitMissingDead = async (
  run: BatchRun,
  assignment: AssignmentWith<'delivery' | 'webhook'>,
  { store, clock }: DeliverDependencies,
): Promise<void> => {
  try {
    await emitDeadAgain(assignment.webhook, assignment.delivery, store, clock());
    run.conclude(assignment, 'discarded');
  } catch (cause) {
    run.fail([assignment], cause);
  }
};
