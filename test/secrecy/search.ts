import { isLike } from '../privilege/judge.ts';
import { createFinder, type Needle, type NeedleKind } from './find-needles.ts';
import type { Writing } from './writing.ts';

/** Permission for a kind of secret to be stored in one place. `where` is the place and field of a writing; it may contain `*`. */
export interface Leave {
  readonly kind: NeedleKind;
  readonly where: string;
  readonly reason: string;
}

/** Searches writings for needles. `leaks` counts the forbidden ones by kind and place, never with the secret itself. */
export const createSearch = (needles: readonly Needle[], leaves: readonly Leave[]) => {
  const find = createFinder(needles);
  const leaks = new Map<string, number>();
  const used = new Set<Leave>();
  return {
    leaks,
    idleLeaves: () => leaves.filter((leave) => !used.has(leave)).map(({ kind, where }) => `${kind} in ${where}`),
    look({ place, fields }: Writing): void {
      for (const [name, value] of Object.entries(fields)) {
        const where = `${place} ${name}`;
        for (const { kind } of find(typeof value === 'string' ? value : JSON.stringify(value))) {
          const leave = leaves.find((candidate) => candidate.kind === kind && isLike(where, candidate.where));
          if (leave) used.add(leave);
          else leaks.set(`${kind} in ${where}`, (leaks.get(`${kind} in ${where}`) ?? 0) + 1);
        }
      }
    },
  };
};
