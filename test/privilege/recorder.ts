import type { Interceptor } from '../../local/wiring/interceptor.ts';
import { saveForVerdicts } from '../helpers/run-folder.ts';
import { usesOf } from './uses.ts';

export interface UseRecorder {
  /** Stands before another interceptor and notes what functions ask of AWS. */
  before(next: Interceptor): Interceptor;
  /** Leaves what was noted for the verdict on the whole run. */
  leave(): void;
}

/** Notes each use once. `nameOf` gives the construct's name of a table, queue or secret; callers that are no function are the test itself. */
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
