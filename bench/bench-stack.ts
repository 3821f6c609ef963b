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
  /** Requests the API as a fresh account whose limit does not matter. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
  addWebhook(path: string, events: readonly string[], more?: Record<string, unknown>): Promise<string>;
  /** Lets what is to be carried gather, as a backlog does, or lets it go on. */
  setCarrying(mapping: 'stream' | 'deliveries', isOn: boolean): Promise<void>;
  /** Waits until so many requests have arrived, and takes them. */
  receive(count: number, timeoutMs?: number): Promise<readonly Received[]>;
  stop(): Promise<void>;
}

/** As Lambda gives every invocation one: ids of traces are part of what is logged. */
const trace = 'Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=0';

/** The local stack with a receiver beside it, each in processes of their own, and a meter on it. */
export const startBench = async (onLine?: (line: string) => void): Promise<Bench> => {
  const meter = createMeter();
  const stack = await startStack({
    warm: true,
    environment: { _X_AMZN_TRACE_ID: trace },
    onLog({ functionName, text }) {
      meter.line(functionName, text);
      onLine?.(text);
    },
    onInvocation: ({ functionName, durationMs, memoryMb }) => meter.invocation(functionName, durationMs, memoryMb),
  });
  const receiver = fork(new URL('./receiver.ts', import.meta.url));
  const [{ port }] = (await once(receiver, 'message')) as [{ port: number }];

  const request = async <T>(key: string, method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${stack.url}/api/public/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  };
  const newAccount = { name: 'Bench', rate_limit_per_minute: 30_000 };
  const { id: accountId, key } = await request<{ id: string; key: string }>(
    stack.operatorKey,
    'POST',
    '/accounts',
    newAccount,
  );
  const api: Bench['api'] = (method, path, body) => request(key, method, path, body);

  const ask = async <T>(question: string): Promise<T> => {
    receiver.send(question);
    const [answer] = (await once(receiver, 'message')) as [T];
    return answer;
  };

  return {
    stack,
    meter,
    accountId,
    receiverUrl: `http://127.0.0.1:${port}`,
    api,
    async addWebhook(path, events, more = {}) {
      const url = `http://127.0.0.1:${port}${path}`;
      const { id } = await api<{ id: string }>('POST', '/webhooks', { url, events, allow_http: true, ...more });
      return id;
    },
    async setCarrying(name, isOn) {
      const { endpoints, resources } = readStackFile(stack.dataFolder) ?? { endpoints: null, resources: [] };
      const mapping = resources.find(
        ({ type, logicalId }) => type === 'AWS::Lambda::EventSourceMapping' && logicalId.includes(`${name}mapping`),
      );
      const url = `${endpoints?.lambda}/2015-03-31/event-source-mappings/${mapping?.physicalId}`;
      const answer = await fetch(url, { method: 'PUT', body: JSON.stringify({ Enabled: isOn }) });
      if (!answer.ok) throw new Error(`The mapping answered ${answer.status}: ${await answer.text()}`);
    },
    async receive(count, timeoutMs = 600_000) {
      const endMs = Date.now() + timeoutMs;
      for (;;) {
        const { count: soFar } = await ask<{ count: number }>('count');
        if (soFar >= count) break;
        if (Date.now() > endMs) throw new Error(`${soFar} of ${count} requests arrived in ${timeoutMs / 1000} s`);
        await sleep(20);
      }
      return (await ask<{ received: Received[] }>('take')).received;
    },
    async stop() {
      receiver.disconnect();
      await stack.stop();
    },
  };
};
