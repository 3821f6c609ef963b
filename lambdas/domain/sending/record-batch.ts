import { isWaiting, ticketOf } from '../deliveries/delivery.ts';
import type { BatchRun, FinishedDelivery } from './batch-run.ts';
import { type HeldDelivery, type RecheckDependencies, releaseIfEnabled } from './release-if-enabled.ts';
import { type HealthStore, type RecordedAttempt, updateHealth } from './webhook-health.ts';

export interface RecordDependencies extends RecheckDependencies {
  readonly store: RecheckDependencies['store'] & HealthStore;
  readonly speed: number;
  /** Hours of failing after which a webhook is disabled, unless the webhook sets its own number. */
  readonly autoDisableAfterHours: number;
}

/**
 * Records the finished deliveries of a batch, sends the messages for their next attempts and updates the health of their
 * webhooks. Never throws: if a step fails, all these messages get the outcome `failed`.
 */
export const recordFinished = async (run: BatchRun, deps: RecordDependencies): Promise<void> => {
  const finished = run.takeFinished();
  if (finished.length === 0) return;
  try {
    const isRecorded = await deps.store.record(finished.map(({ change }) => change));
    const recorded = finished.filter((_, index) => isRecorded[index]);
    await sendNextAttempts(recorded, deps);
    await releaseIfEnabled(recorded.flatMap(heldDeliveryOf), deps);
    await updateHealth(recorded.flatMap(recordedAttemptOf), deps.store, { ...deps, nowMs: deps.clock() });
    for (const [index, { assignment, outcome, attempted }] of finished.entries()) {
      run.conclude(assignment, isRecorded[index] ? outcome : 'superseded', attempted);
    }
  } catch (cause) {
    run.fail(
      finished.map(({ assignment }) => assignment),
      cause,
    );
  }
};

/** Sends a message for each delivery that waits for an attempt. A parked delivery gets its message from the due index. */
const sendNextAttempts = async (
  recorded: readonly FinishedDelivery[],
  { queue, clock }: RecordDependencies,
): Promise<void> => {
  const waiting = recorded
    .map(({ change }) => change.after)
    .filter((delivery) => isWaiting(delivery) && !delivery.parked);
  if (waiting.length > 0) await queue.send(waiting.map(ticketOf), clock());
};

const heldDeliveryOf = ({ assignment: { webhook }, change, outcome }: FinishedDelivery): HeldDelivery[] =>
  outcome === 'held' && webhook ? [{ webhook, delivery: change.after }] : [];

const recordedAttemptOf = ({
  assignment: { webhook, health },
  change,
  outcome,
}: FinishedDelivery): RecordedAttempt[] =>
  webhook && (outcome === 'delivered' || outcome === 'refused' || outcome === 'dead' || outcome === 'gone')
    ? [{ outcome, webhook, health, delivery: change.after }]
    : [];
