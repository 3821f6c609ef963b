import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach } from 'vitest';
import { type LocalStack, type StackOptions, startStack } from '../../local/stack.ts';

export interface QueueRecord {
  readonly body: string;
  readonly messageId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface StreamRecord {
  readonly eventName: string;
  readonly id: string;
  readonly n: number;
  readonly sequence: string;
}

/** Records the batches and ticks that the fixture's functions get. `onQueue` and `onStream` set the functions' results. */
export interface Recorder {
  readonly queueBatches: QueueRecord[][];
  readonly streamBatches: StreamRecord[][];
  readonly ticks: { readonly time: string }[];
  onQueue: (batch: QueueRecord[]) => unknown;
  onStream: (batch: StreamRecord[]) => unknown;
}

export interface Run {
  readonly stack: LocalStack;
  readonly recorder: Recorder;
  readonly logs: string[];
  get(path: string): Promise<{ status: number; body: Record<string, unknown> }>;
  send(
    ...messages: { Id?: string; MessageBody?: string; DelaySeconds?: number; MessageGroupId?: string }[]
  ): Promise<Record<string, unknown>>;
}

export const fixture = new URL('./fixture', import.meta.url).pathname;

/** Waits until the condition is true. Throws after `ms`, by default five seconds. */
export const until = async (isTrue: () => boolean, ms = 5000): Promise<void> => {
  const endMs = Date.now() + ms;
  while (!isTrue()) {
    if (Date.now() > endMs) throw new Error(`The condition was not true within ${ms} ms: ${isTrue}`);
    await sleep(2);
  }
};

const startRecorder = async (): Promise<{ recorder: Recorder; url: string; stop: () => void }> => {
  const recorder: Recorder = {
    queueBatches: [],
    streamBatches: [],
    ticks: [],
    onQueue: () => ({ batchItemFailures: [] }),
    onStream: () => ({ batchItemFailures: [] }),
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const answers: Record<string, () => unknown> = {
      '/queue': () => {
        recorder.queueBatches.push(body);
        return recorder.onQueue(body);
      },
      '/stream': () => {
        recorder.streamBatches.push(body);
        return recorder.onStream(body);
      },
      '/tick': () => recorder.ticks.push(body),
    };
    response.end(JSON.stringify((await answers[request.url ?? '']?.()) ?? {}));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { recorder, url, stop };
};

/** Returns a function that starts a stack of the fixture. Each stack is stopped after its test. */
export const useStacks = (): ((options?: StackOptions) => Promise<Run>) => {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  return async (options = {}) => {
    const { recorder, url, stop } = await startRecorder();
    stops.push(stop);
    const logs: string[] = [];
    const stack = await startStack({
      assembly: fixture,
      ...options,
      environment: { RECORDER: url, ...options.environment },
      onLog: ({ functionName, text }) => logs.push(`${functionName} ${text}`),
    });
    stops.push(() => stack.stop());
    const get: Run['get'] = async (path) => {
      const response = await fetch(stack.url + path);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const send: Run['send'] = async (...messages) => {
      const entries = messages.map((message, index) => ({ Id: String(index), MessageBody: 'm', ...message }));
      const { body } = await get(`/things?send=${encodeURIComponent(JSON.stringify(entries))}`);
      return body;
    };
    return { stack, recorder, logs, get, send };
  };
};
