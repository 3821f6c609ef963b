import { afterAll, afterEach, beforeAll } from 'vitest';
import type { AttemptView, DeliveryView } from '../../lambdas/domain/history/delivery-view.ts';
import { callApi, refusalOf } from '../../local/cli/api-client.ts';
import type { LocalStack, StackOptions } from '../../local/stack.ts';
import { canary } from '../secrecy/notes.ts';
import { createFaults, type Faults } from './faults.ts';
import { type RecordedStackOptions, startRecordedStack } from './recorded-stack.ts';
import { type Endpoint, type Responder, startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

export interface Delivery extends DeliveryView {
  readonly attempts: readonly AttemptView[];
}

export interface Webhook extends Endpoint {
  readonly id: string;
}

/** A new account and calls with its own API key. */
export interface Client {
  readonly key: string;
  readonly accountId: string;
  call(method: string, path: string, body?: object): ReturnType<typeof callApi>;
  /** Registers a webhook at a new receiver. Its events are `task.accepted` unless `more` sets others. */
  addWebhook(answer: Responder, more?: Readonly<Record<string, unknown>>): Promise<Webhook>;
  /** Publishes this number of events; returns their ids. */
  publish(count: number, type?: string): Promise<string[]>;
  /** The webhook's deliveries with their attempts: one call for each delivery. */
  deliveries(webhook: { readonly id: string }): Promise<Delivery[]>;
  /** Waits until the webhook has `count` deliveries and no delivery has an attempt pending. Returns them as listed. */
  listedSettled(webhook: { readonly id: string }, count: number, withinMs?: number): Promise<DeliveryView[]>;
  /** Waits like `listedSettled`, and returns the deliveries with their attempts. */
  settled(webhook: { readonly id: string }, count: number, withinMs?: number): Promise<Delivery[]>;
}

export interface WholeStack {
  readonly stack: LocalStack;
  readonly faults: Faults;
  readonly receiver: WebhookReceiver;
  readonly logs: string[];
  newClient(): Promise<Client>;
}

const createClient = async ({ stack, receiver }: Pick<WholeStack, 'stack' | 'receiver'>): Promise<Client> => {
  const account = { name: 'Test', rate_limit_per_minute: 30_000 };
  const created = await callApi(stack.url, stack.operatorKey, 'POST', '/accounts', account);
  const key = String(created.body.key);
  const call: Client['call'] = (method, path, body) => callApi(stack.url, key, method, path, body);
  const callOk = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await call(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${refusalOf(answer)}`);
    return answer.body as T;
  };

  const list = async (webhookId: string): Promise<DeliveryView[]> => {
    const all: DeliveryView[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path: string = `/webhooks/${webhookId}/deliveries?limit=100${cursor && `&cursor=${cursor}`}`;
      const page = await callOk<{ data: DeliveryView[]; next_cursor: string | null }>('GET', path);
      all.push(...page.data);
      cursor = page.next_cursor;
    }
    return all;
  };
  const deliveries: Client['deliveries'] = async ({ id }) =>
    Promise.all((await list(id)).map((delivery) => callOk<Delivery>('GET', `/deliveries/${delivery.id}`)));

  const listedSettled: Client['listedSettled'] = async ({ id }, count, withinMs = 20_000) => {
    for (const endMs = Date.now() + withinMs; ; ) {
      const all = await list(id);
      const open = all.filter(({ settled_at }) => settled_at === null);
      if (all.length === count && open.length === 0) return all;
      if (Date.now() > endMs) {
        throw new Error(
          `${all.length} of ${count} deliveries, ${open.length} of them open: ${JSON.stringify(open[0])}`,
        );
      }
      await new Promise((next) => setTimeout(next, 50 + count));
    }
  };

  return {
    key,
    accountId: String(created.body.id),
    call,
    async addWebhook(answer, more = {}) {
      const endpoint = receiver.open(answer);
      const body = { url: endpoint.url, events: ['task.accepted'], allow_http: true, ...more };
      const { id } = await callOk<{ id: string }>('POST', '/webhooks', body);
      return { ...endpoint, id };
    },
    async publish(count, type = 'task.accepted') {
      const ids: string[] = [];
      for (let left = count; left > 0; left -= 100) {
        const events = Array.from({ length: Math.min(left, 100) }, (_, n) => ({ type, data: { n, canary } }));
        const { data } = await callOk<{ data: { id: string }[] }>('POST', '/events', { events });
        ids.push(...data.map(({ id }) => id));
      }
      return ids;
    },
    deliveries,
    listedSettled,
    async settled(webhook, count, withinMs) {
      await listedSettled(webhook, count, withinMs);
      return deliveries(webhook);
    },
  };
};

/**
 * Starts the stack as it would be deployed, for the tests of one `describe`; call it at the top of the block. For tests of
 * speed, `isDirect` removes the interceptor between functions and engines. Faults cannot be injected then.
 */
export const useWholeStack = (options: RecordedStackOptions): WholeStack => {
  const faults = createFaults();
  const logs: string[] = [];
  const whole = { faults, logs } as { -readonly [K in keyof WholeStack]: WholeStack[K] };
  whole.newClient = () => createClient(whole);
  beforeAll(async () => {
    const onLog: StackOptions['onLog'] = ({ functionName, text }) => logs.push(`${functionName} ${text}`);
    whole.receiver = await startWebhookReceiver();
    whole.stack = await startRecordedStack({ onLog, interceptor: faults.interceptor, ...options });
  });
  afterEach(() => faults.clear());
  afterAll(async () => {
    await whole.stack?.stop();
    whole.receiver?.stop();
  });
  return whole;
};

/** For each delivery, the number of requests at the receiver minus the number of recorded attempts. */
export const extraPosts = ({ posts }: Endpoint, deliveries: readonly DeliveryView[]): number[] =>
  deliveries.map(({ id, attempts_made }) => posts.filter(({ deliveryId }) => deliveryId === id).length - attempts_made);
