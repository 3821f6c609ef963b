import type { Interceptor } from '../../local/wiring/interceptor.ts';
import { saveForVerdicts } from '../helpers/run-folder.ts';
import { usesOf } from './uses.ts';

export interface UseRecorder {
  /** Returns an interceptor that records the AWS calls of functions and then calls `next`. */
  before(next: Interceptor): Interceptor;
  /** Stores the recorded uses for the verdict on the whole run. */
  leave(): void;
}

/**
 * Records each use once. `nameOf` returns the construct name of a table, queue or secret. Calls by other callers than functions
 * come from the test itself and are not recorded.
 */
export const createUseRecorder = (
  functionNames: readonly string[],
  nameOf: (physicalName: string) => string,
): UseRecorder => {
  const seen = new Set<string>();
  return {
    before: (next) => (call, forward) => {
      if (functionNames.includes(call.functionName)) {
        for (const use of usesOf(call, nameOf)) seen.add(JSON.stringify(use));
      }
      return next(call, forward);
    },
    leave: () =>
      saveForVerdicts(
        'uses',
        [...seen].map((text): unknown => JSON.parse(text)),
      ),
  };
};
