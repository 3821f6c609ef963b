import { SECOND_MS } from '../foundation/time.ts';

/**
 * Milliseconds between two saves of the progress of long work, such as the roll-up. An invocation that dies loses the
 * progress since its last save; doing that work again changes nothing but costs.
 */
const SAVE_EVERY_MS = 10 * SECOND_MS;

export interface Checkpoint<Progress> {
  /**
   * Stores the progress of the long work. Returns false if another invocation stored its own progress of the same work:
   * the caller must stop.
   */
  save(progress: Progress): Promise<boolean>;
  /** Returns whether the last save is at least ten seconds old. */
  isSaveDue(): boolean;
}

/**
 * Creates the checkpoint of long work, which stores the work's progress. `write` replaces the progress if it still has
 * the version that was read (0 if there was none) and returns whether it did.
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
