import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { env } from '../../lambdas/runtime/env.ts';
import { frontDoorHeaders } from '../../lambdas/runtime/front-door-headers.ts';
import { synthesiseIfStale } from '../../local/cli/synth.ts';
import type { Invocation } from '../../local/functions/function-pool.ts';
import { type LocalStack, type StackOptions, startStack } from '../../local/stack.ts';
import { readAssembly, resourcesOf } from '../../local/template/template.ts';
import { createUseRecorder } from '../privilege/recorder.ts';
import { note, noteAnswer, noteAuthorization, noteKeyring, noteRequest } from '../secrecy/notes.ts';
import { leaveLines, leaveRows } from '../secrecy/writing.ts';

export interface RecordedStackOptions extends StackOptions {
  /** Runs without an interceptor, for tests of speed. The functions' calls are not recorded then. */
  readonly isDirect?: boolean;
}

interface HttpEvent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Notes the secrets in an API request and its response, so that a verdict can search for them in logs and rows. */
const noteExchange = ({ functionName, event, result }: Invocation): void => {
  if (!functionName.endsWith('-api')) return;
  const { headers, body } = event as HttpEvent;
  note('front door', headers?.[frontDoorHeaders.pass]);
  noteAuthorization(headers?.authorization);
  noteRequest(body);
  if (result.ok) noteAnswer((result.payload as { body?: string }).body);
};

/** Notes the operator key and the keys of the keyring. */
const noteKeys = async (stack: LocalStack): Promise<void> => {
  noteAuthorization(stack.operatorKey);
  const { environment } = stack.definitionOf('deliver');
  const client = new SecretsManagerClient({
    endpoint: environment.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { SecretString = '' } = await client.send(
    new GetSecretValueCommand({ SecretId: environment[env.keyringSecret] }),
  );
  noteKeyring(SecretString);
  client.destroy();
};

/**
 * Starts the stack as it would be deployed. When it stops, it saves for the verdict tests the calls, log lines, rows and
 * messages of its functions, and the secrets that must not be in them.
 */
export const startRecordedStack = async ({
  isDirect = false,
  ...options
}: RecordedStackOptions): Promise<LocalStack> => {
  const assembly = options.assembly ?? (await synthesiseIfStale());
  const template = readAssembly(assembly);
  const functionNames = resourcesOf(template, 'AWS::Lambda::Function').map(({ name }) => name);
  const nameOf = (physicalName: string): string => template.resources.get(physicalName)?.name ?? physicalName;
  const recorder = createUseRecorder(functionNames, nameOf);
  const interceptor = recorder.before(options.interceptor ?? ((_, forward) => forward()));
  const lines = new Map(functionNames.map((name) => [name, [] as string[]]));
  const stack = await startStack({
    ...options,
    assembly,
    ...(isDirect ? {} : { interceptor }),
    onLog(line) {
      lines.get(line.functionName)?.push(line.text);
      options.onLog?.(line);
    },
    onInvocation(invocation) {
      noteExchange(invocation);
      options.onInvocation?.(invocation);
    },
  });

  const leaveWritings = async (): Promise<void> => {
    for (const name of ['domain-table', 'delivery-table', 'credentials-table']) {
      await leaveRows(stack.dynamoEndpoint, stack.tableName(name), name);
    }
    for (const name of stack.queueNames) {
      leaveLines(
        `queue ${name}`,
        stack.peek(name).map(({ body }) => body),
      );
    }
    for (const [name, texts] of lines) leaveLines(`log ${name}`, texts);
  };
  return {
    ...stack,
    async stop() {
      try {
        await noteKeys(stack);
        await leaveWritings();
      } finally {
        await stack.stop();
        recorder.leave();
      }
    },
  };
};
