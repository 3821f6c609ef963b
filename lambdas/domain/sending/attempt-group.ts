import type { StoredDelivery } from '../deliveries/delivery.ts';
import { nextDueMs, retryAfterSeconds, scheduleOf } from '../deliveries/retry-schedule.ts';
import { applyAttempt, type NextAttempt } from '../deliveries/transitions.ts';
import { accountOf } from '../foundation/owner.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';
import { type AccountMinutes, type AccountSlotStore, assignAccountSlots } from './account-limit.ts';
import { type AttemptDependencies, type Attempted, attemptDelivery } from './attempt-delivery.ts';
import type { BatchRun, Outcome } from './batch-run.ts';
import { assignSlots, type RateLimitStore, returnLeases, takeLeases } from './rate-limits.ts';
import { type Queue, sendMessages } from './send-messages.ts';
import { type LaneMemory, probeSpeed, type ReceiverSpeedStore, SLOW_AFTER_MS, TRUST_MS } from './slow-lane.ts';
import { type StartedGroup, startGroup } from './start-group.ts';
import type { AttemptAssignment } from './triage.ts';

export interface AttemptGroupDependencies extends AttemptDependencies {
  readonly store: RateLimitStore & ReceiverSpeedStore & AccountSlotStore;
  readonly queue: Queue;
  readonly slowQueue: Queue;
  readonly memory: LaneMemory;
  readonly accountMinutes: AccountMinutes;
  /** A number that divides the waits of all retry schedules; 1 in production. */
  readonly speed: number;
  /**
   * Waits `ms` milliseconds. `ms` is never more than `SHORT_WAIT_MS`: a delivery that is due later returns to the
   * queue.
   */
  readonly wait: (ms: number) => Promise<void>;
}

/** Assignments (queue messages with their rows) that all concern one webhook. */
type Group = readonly AttemptAssignment[];

/**
 * Milliseconds for which a delivery goes back to the queue while another function instance probes its webhook's speed.
 */
const RECHECK_PROBE_MS = 1000;
/** Milliseconds for which a delivery goes back to the queue if no lease under its webhook's `max_in_flight` is free. */
const RETRY_LEASE_MS = 2000;

/**
 * Attempts as many of a webhook's deliveries as its rate limit admits now. Each of the others gets a later slot, which
 * becomes its due time. Never throws.
 */
export const attemptGroup = async (run: BatchRun, group: Group, deps: AttemptGroupDependencies): Promise<void> => {
  const webhook = group[0]?.webhook;
  if (!webhook) return;
  try {
    const { now, later } = await assignSlots(webhook, group, deps.store, deps.queue, deps.clock());
    for (const { item, after } of later) run.finishUnattempted(item, 'paced', after);
    await attemptWithLeases(run, webhook, now, deps);
  } catch (cause) {
    run.fail(group, cause);
  }
};

/**
 * Attempts as many of a webhook's deliveries as there are free leases under `max_in_flight`, and sends the others back
 * to the queue. Never throws.
 */
const attemptWithLeases = async (
  run: BatchRun,
  webhook: StoredWebhook,
  group: Group,
  deps: AttemptGroupDependencies,
): Promise<void> => {
  const { store, queue, clock } = deps;
  try {
    const { admitted, waiting, leases } = await takeLeases(webhook, group, store, clock());
    try {
      await attemptBySpeed(
        run,
        webhook,
        admitted.toSorted((a, b) => a.delivery.due_at - b.delivery.due_at),
        deps,
      );
    } finally {
      await returnLeases(webhook, leases, store);
    }
    await sendMessages(run, waiting, 'paced', queue, clock(), clock() + RETRY_LEASE_MS);
  } catch (cause) {
    // After an error, only the deliveries in `group` are marked as failed. Deliveries with a later slot are finished
    // already.
    run.fail(group, cause);
  }
};

/**
 * Attempts one webhook's deliveries and stores whether the receiver answered quickly. In the fast lane, deliveries to a
 * slow receiver are forwarded to the slow queue, and deliveries to a receiver that another instance probes are sent
 * again later.
 */
const attemptBySpeed = async (
  run: BatchRun,
  webhook: StoredWebhook,
  group: Group,
  deps: AttemptGroupDependencies,
): Promise<void> => {
  const { store, queue, slowQueue, memory, clock } = deps;
  const [first] = group;
  if (!first) return;
  const known =
    run.lane === 'slow'
      ? 'quick'
      : await ignoreFailure(probeSpeed(webhook.id, first.receiverSpeed, group.length, deps));
  if (known === 'slow') return sendMessages(run, group, 'forwarded', slowQueue, clock());
  if (known === 'probed-elsewhere') {
    return sendMessages(run, group, 'paced', queue, clock(), clock() + RECHECK_PROBE_MS);
  }

  const admitted = await admitForAccount(run, webhook, group, deps);
  if (admitted.length === 0) return;
  const started = await startAttempts(run, admitted, known === 'quick', deps);
  if (!started.isQuick) return moveToSlowLane(run, webhook, started, deps);
  memory.rememberQuick(webhook.id, clock());
  if (known === 'probing') await ignoreFailure(store.markQuick(webhook.id, clock() + TRUST_MS));
  if (first.receiverSpeed.isSlow) await ignoreFailure(store.markSlow(webhook.id, false));
};

/**
 * Returns the deliveries that the account's `deliveries_per_minute` admits now. Each of the others gets a slot in a
 * later minute, which becomes its due time.
 */
const admitForAccount = async (
  run: BatchRun,
  { owner }: StoredWebhook,
  group: Group,
  { store, accountMinutes: minutes, queue, clock }: AttemptGroupDependencies,
): Promise<Group> => {
  const { now, later } = await assignAccountSlots(group, accountOf(owner), { store, minutes, queue }, clock());
  for (const { item, after } of later) run.finishUnattempted(item, 'paced', after);
  return now;
};

const startAttempts = (
  run: BatchRun,
  group: Group,
  isTrusted: boolean,
  deps: AttemptGroupDependencies,
): Promise<StartedGroup<AttemptAssignment>> =>
  startGroup(group, isTrusted, SLOW_AFTER_MS, {
    untilDue({ delivery }) {
      const leftMs = delivery.due_at - deps.clock();
      return leftMs > 0 ? deps.wait(leftMs) : null;
    },
    start: (assignment) => attemptOne(run, assignment, deps),
  });

/**
 * Forwards a webhook's deliveries that were not started to the slow queue, and waits until the running requests are
 * answered. If the batch comes from the fast lane, first stores that the webhook is slow.
 */
const moveToSlowLane = async (
  run: BatchRun,
  webhook: StoredWebhook,
  { notStarted, running }: StartedGroup<AttemptAssignment>,
  { store, slowQueue, memory, clock }: AttemptGroupDependencies,
): Promise<void> => {
  memory.forgetQuick(webhook.id);
  if (run.lane === 'fast') await ignoreFailure(store.markSlow(webhook.id, true));
  await sendMessages(run, notStarted, 'forwarded', slowQueue, clock());
  await Promise.all(running);
};

/**
 * Makes one attempt of a delivery and adds the delivery's new state to the changes that the run records. Never throws.
 */
const attemptOne = async (
  run: BatchRun,
  assignment: AttemptAssignment,
  deps: AttemptGroupDependencies,
): Promise<void> => {
  const { delivery, event, webhook } = assignment;
  try {
    const attempted = await attemptDelivery(delivery, event, webhook, deps);
    const next = nextAttempt(delivery, webhook, attempted, deps);
    const after = applyAttempt(delivery, attempted.attempt, attempted.responseClass, next);
    run.finish({ assignment, change: { before: delivery, after }, outcome: outcomeOf(attempted, after), attempted });
  } catch (cause) {
    run.fail([assignment], cause);
  }
};

/** Returns the outcome of an attempt. A delivered delivery that is refused or answered 410 is only refused once more. */
const outcomeOf = ({ responseClass }: Attempted, after: StoredDelivery): Outcome => {
  if (responseClass === 'delivered') return 'delivered';
  if (after.status === 'delivered') return 'refused';
  return responseClass === 'refused' && after.status === 'dead' ? 'dead' : responseClass;
};

/**
 * Returns the next attempt of a delivery, whose time follows from the retry schedule and `Retry-After`. `null` = there
 * is no next attempt, because the schedule is used up or the last attempt was the manual retry of a
 * settled delivery.
 */
const nextAttempt = (
  delivery: StoredDelivery,
  webhook: StoredWebhook,
  { attempt, retryAfter }: Attempted,
  { profileOf, queue, speed, clock }: AttemptGroupDependencies,
): NextAttempt | null => {
  const waitSeconds = scheduleOf(webhook, profileOf)[delivery.step];
  if (waitSeconds === undefined || delivery.trigger === 'manual') return null;
  const endedAtMs = attempt.started_at + attempt.duration_ms;
  const dueAtMs = nextDueMs(endedAtMs, waitSeconds, speed, retryAfterSeconds(retryAfter, endedAtMs));
  return { dueAtMs, isParked: !queue.carries(dueAtMs, clock()) };
};

/**
 * Returns the result of a step that reads or writes a receiver's speed, or `null` if the step fails. A failure does no
 * harm: without the stored speed, the webhook is probed again.
 */
const ignoreFailure = <T>(step: Promise<T>): Promise<T | null> => step.catch(() => null);
