import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LocalStack, startStack } from '../local/stack.ts';
import { readStackFile } from '../local/state/stack-file.ts';
import { createMeter, type Meter } from './meter.ts';
import type { Received } from './receiver.ts';

export interface Bench {
  readonly stack: LocalStack;
  readonly meter: Meter;
  readonly receiverUrl: string;
  readonly accountId: string;
  /** The account's API key. */
  readonly key: string;
  /** Calls the API as a new account with the highest rate limit. Throws for an error status. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
  addWebhook(path: string, events: readonly string[], more?: Record<string, unknown>): Promise<string>;
  /** Disables or enables an event source mapping. While the mapping is disabled, records collect as in a backlog. */
  setMapping(mapping: 'stream' | 'deliveries', isEnabled: boolean): Promise<void>;
  /** Waits until `count` requests have arrived at the receiver, then returns and forgets all requests. */
  receive(count: number, timeoutMs?: number): Promise<readonly Received[]>;
  stop(): Promise<void>;
}

/**
 * A trace id in the form that Lambda sets for every invocation. Log lines contain the trace id, so it counts in their
 * size.
 */
const trace = 'Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=0';

type Request = <T>(key: string, method: string, path: string, body?: unknown) => Promise<T>;

const requestTo =
  (url: string): Request =>
  async <T>(key: string, method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${url}/api/public/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  };

export interface StartOptions {
  /** Called with each log line of a function. */
  readonly onLine?: (line: string) => void;
  /** False: the meter stays empty, and its work takes no CPU time of this process. */
  readonly isMetered?: boolean;
}

/** Starts the local stack with a meter of its AWS usage, and starts a receiver in a process of its own. */
export const startBench = async ({ onLine, isMetered = true }: StartOptions = {}): Promise<Bench> => {
  const meter = createMeter();
  const stack = await startStack({
    warm: true,
    environment: { _X_AMZN_TRACE_ID: trace },
    ...(isMetered && {
      onLog({ functionName, text }) {
        meter.line(functionName, text);
        onLine?.(text);
      },
      onInvocation: ({ functionName, durationMs, memoryMb }) => meter.invocation(functionName, durationMs, memoryMb),
    }),
  });
  const receiver = fork(new URL('./receiver.ts', import.meta.url));
  const [{ port }] = (await once(receiver, 'message')) as [{ port: number }];

  const request = requestTo(stack.url);
  const newAccount = { name: 'Bench', rate_limit_per_minute: 30_000, deliveries_per_minute: 600_000 };
  const { id: accountId, key } = await request<{ id: string; key: string }>(
    stack.operatorKey,
    'POST',
    '/accounts',
    newAccount,
  );
  const api: Bench['api'] = (method, path, body) => request(key, method, path, body);

  const callReceiver = async <T>(command: 'count' | 'take'): Promise<T> => {
    receiver.send(command);
    const [response] = (await once(receiver, 'message')) as [T];
    return response;
  };

  return {
    stack,
    meter,
    accountId,
    key,
    receiverUrl: `http://127.0.0.1:${port}`,
    api,
    async addWebhook(path, events, more = {}) {
      const url = `http://127.0.0.1:${port}${path}`;
      const { id } = await api<{ id: string }>('POST', '/webhooks', { url, events, allow_http: true, ...more });
      return id;
    },
    async setMapping(name, isEnabled) {
      const { endpoints, resources } = readStackFile(stack.dataFolder) ?? { endpoints: null, resources: [] };
      const mapping = resources.find(
        ({ type, logicalId }) => type === 'AWS::Lambda::EventSourceMapping' && logicalId.includes(`${name}mapping`),
      );
      const url = `${endpoints?.lambda}/2015-03-31/event-source-mappings/${mapping?.physicalId}`;
      const response = await fetch(url, { method: 'PUT', body: JSON.stringify({ Enabled: isEnabled }) });
      if (!response.ok) throw new Error(`The mapping answered ${response.status}: ${await response.text()}`);
    },
    async receive(count, timeoutMs = 600_000) {
      const endMs = Date.now() + timeoutMs;
      for (;;) {
        const { count: arrived } = await callReceiver<{ count: number }>('count');
        if (arrived >= count) break;
        if (Date.now() > endMs) throw new Error(`${arrived} of ${count} requests arrived in ${timeoutMs / 1000} s`);
        await sleep(20);
      }
      return (await callReceiver<{ received: Received[] }>('take')).received;
    },
    async stop() {
      receiver.disconnect();
      await stack.stop();
    },
  };
};
