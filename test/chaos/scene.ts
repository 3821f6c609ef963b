import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiAnswer, callApi, refusalOf } from '../../local/cli/api-client.ts';
import type { LocalStack } from '../../local/stack.ts';
import type { Endpoint, Responder, WebhookReceiver } from '../helpers/webhook-receiver.ts';

/** Mulberry32, a random generator that returns the same numbers in every run. */
export const createRandom = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
export type Random = ReturnType<typeof createRandom>;

/** A delivery as `GET /webhooks/{id}/deliveries` lists it. */
export interface ListedDelivery {
  readonly id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly status: string;
}

export interface Webhook extends Endpoint {
  readonly id: string;
}

/** An account that behaves like a good client: it repeats every call that fails on the server's side, safely. */
export interface Account {
  readonly id: string;
  /** The API key that the account uses now. */
  key: string;
  /** Makes a call that must succeed. Repeats it while the server fails, with one Idempotency-Key. */
  call(method: string, path: string, body?: object): Promise<ApiAnswer['body']>;
  addWebhook(answer: Responder, more?: object): Promise<Webhook>;
  /** Publishes events with ids of their own, ten a call. Returns the events' ids. */
  publish(count: number): Promise<string[]>;
  deliveries(webhook: Webhook): Promise<ListedDelivery[]>;
}

/** How often a call is repeated while the server fails. */
const MAX_REPEATS = 200;

/** Calls the API and repeats the call while it is answered with 429 or 5xx, or not at all. */
const callUntilAnswered = async (
  { url }: LocalStack,
  key: () => string,
  method: string,
  path: string,
  body?: object,
): Promise<ApiAnswer> => {
  const idempotencyKey = randomUUID();
  for (let tries = 1; ; tries++) {
    const answer = await fetch(`${url}/api/public/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key()}`,
        ...(method === 'POST' ? { 'idempotency-key': idempotencyKey } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    }).then(
      async (response) => ({ status: response.status, body: JSON.parse((await response.text()) || '{}') }),
      () => ({ status: 503, body: {} }),
    );
    if ((answer.status < 500 && answer.status !== 429) || tries === MAX_REPEATS) return answer;
    await sleep(50);
  }
};

/** Creates an account, as the operator. */
export const createAccount = async (
  stack: LocalStack,
  receiver: WebhookReceiver,
  settings: { readonly name: string; readonly deliveries_per_minute?: number },
): Promise<Account> => {
  const body = { rate_limit_per_minute: 30_000, deliveries_per_minute: 600_000, ...settings };
  const created = await callApi(stack.url, stack.operatorKey, 'POST', '/accounts', body);
  if (created.status !== 201) throw new Error(`The account was not created: ${refusalOf(created)}`);

  const account: Account = {
    id: String(created.body.id),
    key: String(created.body.key),

    async call(method, path, content) {
      const answer = await callUntilAnswered(stack, () => account.key, method, path, content);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${refusalOf(answer)}`);
      return answer.body;
    },

    async addWebhook(answer, more = {}) {
      const endpoint = receiver.open(answer);
      const content = { url: endpoint.url, events: ['task.accepted'], allow_http: true, ...more };
      const { id } = await account.call('POST', '/webhooks', content);
      return { ...endpoint, id: String(id) };
    },

    async publish(count) {
      const ids: string[] = [];
      for (let left = count; left > 0; left -= 10) {
        const events = Array.from({ length: Math.min(left, 10) }, () => ({
          type: 'task.accepted',
          data: {},
          id: randomUUID(),
        }));
        const { data } = await account.call('POST', '/events', { events });
        ids.push(...(data as { id: string }[]).map(({ id }) => id));
      }
      return ids;
    },

    async deliveries({ id }) {
      const all: ListedDelivery[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const path: string = `/webhooks/${id}/deliveries?limit=100${cursor && `&cursor=${cursor}`}`;
        const page = await account.call('GET', path);
        all.push(...(page.data as ListedDelivery[]));
        cursor = page.next_cursor as string | null;
      }
      return all;
    },
  };
  return account;
};
