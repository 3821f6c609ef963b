import type { DeliveryTicket, StoredDelivery } from '../deliveries/delivery.ts';
import { ticketOf } from '../deliveries/delivery.ts';
import { nextDueMs, retryAfterSeconds, scheduleOf } from '../deliveries/retry-schedule.ts';
import { applyAttempt, cancelDelivery, type DeliveryChange, holdDelivery } from '../deliveries/transitions.ts';
import type { StoredEvent } from '../events/event.ts';
import { webhookOfDelivery } from '../foundation/id.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';
import { type AttemptDependencies, type Attempted, attemptDelivery } from './attempt-delivery.ts';
import { assignSlots, type RateLimitStore, withLeases } from './rate-limits.ts';
import { releaseIfEnabled } from './release-if-enabled.ts';
import {
  isDoneWithin,
  type LaneMemory,
  probeSpeed,
  type ReceiverSpeedStore,
  SLOW_AFTER_MS,
  startGroup,
  TRUST_MS,
} from './slow-lane.ts';
import { type Assignment, triage } from './triage.ts';
import { emitDeadAgain, type HealthStore, type RecordedAttempt, updateHealth } from './webhook-health.ts';

export interface DeliveryStore extends RateLimitStore, HealthStore, ReceiverSpeedStore {
  /** Records changes, each only while its row holds the ticket it was made on. Answers which stand recorded. */
  record(changes: readonly DeliveryChange[]): Promise<readonly boolean[]>;
  /** Reads webhooks again, as they are this moment. */
  readAgain(webhooks: readonly StoredWebhook[]): Promise<readonly (StoredWebhook | null)[]>;
}

interface Queue {
  carries(dueAtMs: number, nowMs: number): boolean;
  send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void>;
}

export interface DeliverDependencies extends AttemptDependencies {
  readonly store: DeliveryStore;
  readonly queue: Queue;
  readonly slowQueue: Queue;
  readonly memory: LaneMemory;
  readonly speed: number;
  /** Where a webhook does not say so itself. */
  readonly autoDisableAfterHours: number;
  /** Waits out the last moments before an attempt is due. */
  readonly wait: (ms: number) => Promise<void>;
}

/** What became of a message, with all a log line needs. */
export interface DeliveryOutcome {
  readonly messageId: string;
  readonly outcome:
    | 'delivered'
    | 'refused'
    | 'dead'
    | 'gone'
    | 'held'
    | 'cancelled'
    | 'discarded' // its ticket is out of date
    | 'resent' // too early, or what the row owes may never have been sent
    | 'forwarded' // to the slow lane
    | 'paced' // its slot or its turn comes later
    | 'superseded' // a twin recorded first
    | 'failed'; // by us: the message comes back
  readonly ticket: DeliveryTicket;
  readonly webhook: StoredWebhook | null;
  readonly event: StoredEvent | null;
  /** As it stood before. */
  readonly delivery: StoredDelivery | null;
  readonly attempted: Attempted | null;
  readonly cause: unknown;
}

/** What another instance is still finding out is known by then. */
const PROBED_ELSEWHERE_MS = 1000;
/** What finds no room under `max_in_flight` asks again after so long. */
const TURN_MS = 2000;

export interface Finished {
  readonly assignment: Assignment;
  readonly change: DeliveryChange;
  readonly outcome: DeliveryOutcome['outcome'];
  readonly attempted: Attempted | null;
}

/**
 * Delivers a batch side by side: attempts, records, and sends what is owed next. What is thrown for one message is that
 * message's outcome `failed`; the others go on.
 */
export const deliverBatch = async (
  assignments: readonly Assignment[],
  lane: 'fast' | 'slow',
  deps: DeliverDependencies,
): Promise<DeliveryOutcome[]> => {
  const { store, queue, slowQueue, memory, clock } = deps;
  const outcomes: DeliveryOutcome[] = [];
  const note = (
    { messageId, ticket, webhook, event, delivery }: Assignment,
    outcome: DeliveryOutcome['outcome'],
    more: { attempted?: Attempted | null; cause?: unknown } = {},
  ): void => {
    outcomes.push({ messageId, ticket, webhook, event, delivery, outcome, attempted: null, cause: null, ...more });
  };
  /** Runs a step for several messages; when it fails, each of them comes back. */
  const orFailed = async (concerned: readonly Assignment[], step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (cause) {
      for (const assignment of concerned) note(assignment, 'failed', { cause });
    }
  };

  let finished: Finished[] = [];
  const flush = async (): Promise<void> => {
    const batch = finished;
    finished = [];
    if (batch.length === 0) return;
    await orFailed(
      batch.map(({ assignment }) => assignment),
      async () => {
        const recorded = await store.record(batch.map(({ change }) => change));
        const standing = batch.filter((_, index) => recorded[index]);
        const next = standing
          .map(({ change }) => change.after)
          .filter(({ status, parked }) => (status === 'failed' || status === 'pending') && !parked);
        if (next.length > 0) await queue.send(next.map(ticketOf), clock());
        const held = standing.flatMap(({ assignment: { webhook }, change, outcome }) =>
          outcome === 'held' && webhook ? [{ webhook, delivery: change.after }] : [],
        );
        await releaseIfEnabled(held, deps);
        await updateHealth(standing.flatMap(recordedAttemptOf), store, { ...deps, nowMs: clock() });
        batch.forEach(({ assignment, outcome, attempted }, index) => {
          note(assignment, recorded[index] ? outcome : 'superseded', { attempted });
        });
      },
    );
  };

  const attemptOne = async (assignment: Assignment): Promise<void> => {
    const { delivery, event, webhook } = assignment;
    if (!delivery || !event || !webhook) return;
    await orFailed([assignment], async () => {
      const attempted = await attemptDelivery(delivery, event, webhook, deps);
      const after = applyAttempt(
        delivery,
        attempted.attempt,
        attempted.responseClass,
        nextWait(delivery, webhook, attempted, deps),
      );
      const outcome =
        attempted.responseClass === 'refused'
          ? after.status === 'dead'
            ? 'dead'
            : 'refused'
          : attempted.responseClass;
      finished.push({ assignment, change: { before: delivery, after }, outcome, attempted });
    });
  };

  const groups = new Map<string, Assignment[]>();
  const tell: Assignment[] = [];
  const resend: Assignment[] = [];
  const forward: Assignment[] = [];
  const seen = new Set<string>();
  for (const assignment of assignments) {
    const { delivery, ticket } = assignment;
    const verdict = seen.has(ticket.deliveryId) ? 'discard' : triage(assignment, clock());
    if (!delivery || verdict === 'discard') {
      note(assignment, 'discarded');
      continue;
    }
    // One out of date does not stand for it: the one that counts may come behind it.
    seen.add(ticket.deliveryId);
    if (verdict === 'emit-dead') tell.push(assignment);
    else if (verdict === 'resend') resend.push(assignment);
    else if (verdict === 'cancel')
      finished.push(unattempted(assignment, 'cancelled', cancelDelivery(delivery, clock())));
    else if (verdict === 'hold') finished.push(unattempted(assignment, 'held', holdDelivery(delivery)));
    else if (lane === 'fast' && assignment.answers.isSlow) forward.push(assignment);
    else {
      const webhookId = webhookOfDelivery(delivery.id);
      groups.set(webhookId, [...(groups.get(webhookId) ?? []), assignment]);
    }
  }

  const sendOn = (
    list: readonly Assignment[],
    to: Queue,
    outcome: 'resent' | 'forwarded' | 'paced',
    dueAtMs?: number,
  ): Promise<void> =>
    orFailed(list, async () => {
      const due = list.flatMap(({ delivery }) =>
        delivery ? [{ ...ticketOf(delivery), ...(dueAtMs && { dueAtMs }) }] : [],
      );
      if (due.length > 0) await to.send(due, clock());
      for (const assignment of list) note(assignment, outcome);
    });

  /** As many of a webhook's deliveries as its own bounds let pass now; the others get their slot, or come again. */
  const attemptPaced = (webhookId: string, group: readonly Assignment[]): Promise<void> =>
    orFailed(group, async () => {
      const webhook = group[0]?.webhook;
      if (!webhook) return;
      const { now, later } = await assignSlots(webhook, group, store, queue.carries, clock());
      finished.push(...later.map(({ item, after }) => unattempted(item, 'paced', after)));
      // Those whose slot comes later are done with, whatever happens to the others.
      await orFailed(now, async () => {
        const waiting = await withLeases(webhook, now, store, clock(), (some) =>
          attemptGroup(
            webhookId,
            some.toSorted((a, b) => msLeft(a) - msLeft(b)),
          ),
        );
        await sendOn(waiting, queue, 'paced', clock() + TURN_MS);
      });
    });

  const msLeft = ({ delivery }: Assignment): number => (delivery?.due_at ?? 0) - clock();

  const tellOne = (assignment: Assignment): Promise<void> =>
    orFailed([assignment], async () => {
      const { delivery, webhook } = assignment;
      if (delivery && webhook) await emitDeadAgain(webhook, delivery, store, clock());
      note(assignment, 'discarded');
    });

  const attemptGroup = async (webhookId: string, group: readonly Assignment[]): Promise<void> => {
    const [first] = group;
    if (!first) return;
    // A help, not a record: when it cannot be had, the webhook is asked carefully.
    const known = lane === 'slow' ? 'quick' : await aside(probeSpeed(webhookId, first.answers, group.length, deps));
    if (known === 'slow') return sendOn(group, slowQueue, 'forwarded');
    if (known === 'probed-elsewhere') return sendOn(group, queue, 'paced', clock() + PROBED_ELSEWHERE_MS);
    const onSlow = async (left: readonly Assignment[]): Promise<void> => {
      memory.noteSlow(webhookId);
      if (lane === 'fast') await aside(store.markSlow(webhookId, true));
      await sendOn(left, slowQueue, 'forwarded');
    };
    const untilDue = (one: Assignment) => (msLeft(one) > 0 ? deps.wait(msLeft(one)) : null);
    const options = { isTrusted: known === 'quick', slowAfterMs: SLOW_AFTER_MS, onSlow, untilDue };
    if (!(await startGroup(group, options, attemptOne))) return;
    memory.noteQuick(webhookId, clock());
    if (known === 'probing') await aside(store.noteQuick(webhookId, clock() + TRUST_MS));
    if (first.answers.isSlow) await aside(store.markSlow(webhookId, false));
  };

  const all = Promise.all([
    sendOn(resend, queue, 'resent'),
    sendOn(forward, slowQueue, 'forwarded'),
    ...tell.map(tellOne),
    ...[...groups].map(([webhookId, group]) => attemptPaced(webhookId, group)),
  ]);
  // Those that were quick are not left unrecorded until the slowest is done.
  await isDoneWithin(all, 2 * SLOW_AFTER_MS);
  await flush();
  await all;
  await flush();
  return outcomes;
};

const recordedAttemptOf = ({ assignment: { webhook, health }, change, outcome }: Finished): RecordedAttempt[] =>
  webhook && (outcome === 'delivered' || outcome === 'refused' || outcome === 'dead' || outcome === 'gone')
    ? [{ outcome, webhook, health, delivery: change.after }]
    : [];

const unattempted = (
  assignment: Assignment,
  outcome: 'cancelled' | 'held' | 'paced',
  after: StoredDelivery,
): Finished => ({
  assignment,
  change: { before: assignment.delivery ?? after, after },
  outcome,
  attempted: null,
});

/** A mark is a help, not a record: when it cannot be set or read, the next slow answer sets it. */
const aside = <T>(step: Promise<T>): Promise<T | null> => step.catch(() => null);

const nextWait = (
  delivery: StoredDelivery,
  webhook: StoredWebhook,
  { attempt, retryAfter }: Attempted,
  { profileOf, queue, speed, clock }: DeliverDependencies,
) => {
  const waitSeconds = scheduleOf(webhook, profileOf)[delivery.step];
  if (waitSeconds === undefined || delivery.trigger === 'manual') return null;
  const endedAtMs = attempt.started_at + attempt.duration_ms;
  const dueAtMs = nextDueMs(endedAtMs, waitSeconds, speed, retryAfterSeconds(retryAfter, endedAtMs));
  return { dueAtMs, isParked: !queue.carries(dueAtMs, clock()) };
};
