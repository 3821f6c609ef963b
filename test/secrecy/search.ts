import { isLike } from '../privilege/judge.ts';
import { createFinder, type Needle, type NeedleKind } from './find-needles.ts';
import type { Writing } from './writing.ts';

/** Where something secret may stand, and why. `where` is a writing's place and field, and may hold `*`. */
export interface Leave {
  readonly kind: NeedleKind;
  readonly where: string;
  readonly reason: string;
}

/** Finds what stands where it may not. Says what and where, never the thing itself. */
export const createSearch = (needles: readonly Needle[], leaves: readonly Leave[]) => {
  const find = createFinder(needles);
  const leaks = new Map<string, number>();
  const used = new Set<Leave>();
  return {
    leaks,
    idleLeaves: () => leaves.filter((one) => !used.has(one)).map(({ kind, where }) => `${kind} in ${where}`),
    look({ place, fields }: Writing): void {
      for (const [name, value] of Object.entries(fields)) {
        const where = `${place} ${name}`;
        for (const { kind } of find(typeof value === 'string' ? value : JSON.stringify(value))) {
          const given = leaves.find((one) => one.kind === kind && isLike(where, one.where));
          if (given) used.add(given);
          else leaks.set(`${kind} in ${where}`, (leaks.get(`${kind} in ${where}`) ?? 0) + 1);
        }
      }
    },
  };
};
