import type { DeliveryOutcome } from './deliver-batch.ts';

type Counted = Partial<Record<DeliveryOutcome['outcome'] | 'slowLaneAttempts' | 'forbiddenAddresses', number>>;
type Timed = Record<'firstAttemptMs' | 'latenessMs' | 'receiverMs', number[]>;

export interface OutcomeFigures {
  /** By profile, of what was attempted. */
  readonly attempted: ReadonlyMap<string, Counted & Timed>;
  /** Of what became of messages without an attempt, and of attempts whatever the profile. */
  readonly rest: Counted;
}

const add = (counted: Counted, name: keyof Counted): void => {
  counted[name] = (counted[name] ?? 0) + 1;
};

/** What a batch's outcomes come to in numbers. */
export const outcomeFigures = (outcomes: readonly DeliveryOutcome[], lane: 'fast' | 'slow'): OutcomeFigures => {
  const attempted = new Map<string, Counted & Timed>();
  const rest: Counted = {};
  for (const { outcome, webhook, event, attempted: one } of outcomes) {
    if (!one || !webhook) {
      add(rest, outcome);
      continue;
    }
    const own = attempted.get(webhook.profile) ?? { firstAttemptMs: [], latenessMs: [], receiverMs: [] };
    attempted.set(webhook.profile, own);
    add(own, outcome);
    own.receiverMs.push(one.attempt.duration_ms);
    const { number, trigger, started_at, due_at } = one.attempt;
    if (number === 1 && trigger === 'schedule' && event) {
      own.firstAttemptMs.push(started_at - Date.parse(event.created_at));
    } else own.latenessMs.push(started_at - due_at);
    if (lane === 'slow') add(rest, 'slowLaneAttempts');
    if (one.attempt.error?.code === 'forbidden_address') add(rest, 'forbiddenAddresses');
  }
  return { attempted, rest };
};
