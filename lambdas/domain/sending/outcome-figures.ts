import type { DeliveryOutcome } from './deliver-batch.ts';

type Outcome = DeliveryOutcome['outcome'];
/** How an attempt ends: each one's line is counted. */
type End = 'delivered' | 'refused' | 'dead' | 'gone';
type Figures = Partial<Record<Exclude<Outcome, End> | 'slowLaneAttempts' | 'forbiddenAddresses', number>>;

const isEnd = (outcome: Outcome): outcome is End => ['delivered', 'refused', 'dead', 'gone'].includes(outcome);

/** What a batch's outcomes come to, beside what is counted off their lines. */
export const outcomeFigures = (outcomes: readonly DeliveryOutcome[], lane: 'fast' | 'slow'): Figures => {
  const figures: Figures = {};
  const add = (name: keyof Figures): void => {
    figures[name] = (figures[name] ?? 0) + 1;
  };
  for (const { outcome, attempted } of outcomes) {
    if (!isEnd(outcome)) add(outcome);
    if (attempted && lane === 'slow') add('slowLaneAttempts');
    if (attempted?.attempt.error?.code === 'forbidden_address') add('forbiddenAddresses');
  }
  return figures;
};
