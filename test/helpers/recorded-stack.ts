import { type LocalStack, type StackOptions, startStack } from '../../local/stack.ts';
import { synthesiseIfStale } from '../../local/synth.ts';
import { readAssembly, resourcesOf } from '../../local/template.ts';
import { createUseRecorder } from '../privilege/recorder.ts';

export interface RecordedStackOptions extends StackOptions {
  /** Nothing stands between functions and engines: for tests of speed. What is called is not noted then. */
  readonly isDirect?: boolean;
}

/** The stack as it would be deployed; when it stops, it leaves what its functions called for the verdicts on the run. */
export const startRecordedStack = async ({
  isDirect = false,
  ...options
}: RecordedStackOptions): Promise<LocalStack> => {
  const assembly = await synthesiseIfStale();
  const template = readAssembly(assembly);
  const functionNames = resourcesOf(template, 'AWS::Lambda::Function').map(({ name }) => name);
  const nameOf = (physicalName: string): string => template.resources.get(physicalName)?.name ?? physicalName;
  const recorder = createUseRecorder(functionNames, nameOf);
  const interceptor = recorder.before(options.interceptor ?? ((_, forward) => forward()));
  const stack = await startStack({ assembly, ...options, ...(isDirect ? {} : { interceptor }) });
  return {
    ...stack,
    async stop() {
      await stack.stop();
      recorder.leave();
    },
  };
};
