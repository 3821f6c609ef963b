import { SECOND_MS } from '../foundation/time.ts';

/** An invocation that dies loses the progress since its last save. Doing that work again changes nothing but costs. */
const SAVE_EVERY_MS = 10 * SECOND_MS;

export interface Checkpoint<Progress> {
  /** Stores the progress. False if another invocation stored its own: the caller must stop. */
  save(progress: Progress): Promise<boolean>;
  /** Whether the last save is ten seconds old. */
  isSaveDue(): boolean;
}

/**
 * The stored progress of long work. `write` replaces the row if it still has the version that was read (0 if there was
 * none) and answers whether it did.
 */
export const createCheckpoint = <Progress>(
  write: (progress: Progress, version: number) => Promise<boolean>,
  readVersion: number,
  clock: () => number,
): Checkpoint<Progress> => {
  let version = readVersion;
  let savedAtMs = clock();
  return {
    async save(progress) {
      savedAtMs = clock();
      return write(progress, version++);
    },
    isSaveDue: () => clock() - savedAtMs >= SAVE_EVERY_MS,
  };
};
