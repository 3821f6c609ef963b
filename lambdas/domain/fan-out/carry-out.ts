import { type Change, type FanOutDependencies, fanOut } from './fan-out.ts';

export interface CarryOutDependencies extends FanOutDependencies {
  /** Returns the code of an error that a repetition cannot avoid, or null for an error that a repetition may avoid. */
  readonly refusalCodeOf: (error: unknown) => string | null;
  /** Stores a change that can never be carried out, by its index, so that an operator can repeat it. */
  readonly putAside: (index: number, code: string) => Promise<void>;
}

/**
 * Fans out changes. If one of them can never be carried out, carries out the changes one by one, puts each refused change
 * aside and goes on with the next, because the stream would otherwise repeat the batch until it drops the record. Returns
 * how many changes are done. Throws every error that a repetition may avoid.
 */
export const carryOut = async (
  changes: readonly Change[],
  dependencies: CarryOutDependencies,
  isTimeUp: () => boolean,
): Promise<number> => {
  try {
    return await fanOut(changes, dependencies, isTimeUp);
  } catch (error) {
    if (dependencies.refusalCodeOf(error) === null) throw error;
  }
  for (const [index, change] of changes.entries()) {
    if (!(await carryOutOne(change, index, dependencies, isTimeUp))) return index;
  }
  return changes.length;
};

/** Fans out one change, or puts it aside. Returns false if the time was up first. */
const carryOutOne = async (
  change: Change,
  index: number,
  dependencies: CarryOutDependencies,
  isTimeUp: () => boolean,
): Promise<boolean> => {
  try {
    return (await fanOut([change], dependencies, isTimeUp)) === 1;
  } catch (error) {
    const code = dependencies.refusalCodeOf(error);
    if (code === null) throw error;
    await dependencies.putAside(index, code);
    return true;
  }
};
