import type { DataFolder } from '../state/data-folder.ts';
import type { Journal } from '../state/journal.ts';
import type { Resolve } from '../template/intrinsics.ts';
import type { Assembly } from '../template/template.ts';
import type { Running } from './references.ts';

/** The parts of a stack that every step of its start needs. */
export interface StackContext {
  readonly assembly: Assembly;
  readonly resolve: Resolve;
  readonly running: Running;
  readonly folder: DataFolder;
  readonly journal: Journal;
  /** Registers an action for the end of the stack. The actions run one after the other, the last one first. */
  readonly onStop: (action: () => unknown) => void;
}
