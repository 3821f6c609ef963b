import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { inBatches } from '../lambdas/adapters/aws/retry.ts';
import { eventToRow } from '../lambdas/adapters/rows/event-row.ts';
import { rowOf } from '../lambdas/adapters/rows/row.ts';
import { attentionPkOf, deliveryKey } from '../lambdas/adapters/rows/table-keys.ts';
import { newDelivery } from '../lambdas/domain/deliveries/delivery.ts';
import type { StoredEvent } from '../lambdas/domain/events/event.ts';
import { drawId } from '../lambdas/domain/foundation/id.ts';
import { env } from '../lambdas/runtime/env.ts';
import { type LocalStack, startStack } from '../local/stack.ts';
import { type Figures, percentile, round } from './figures.ts';
import type { Received } from './receiver.ts';

const HOUR_MS = 3_600_000;
/** Milliseconds between two events for the other webhook. */
const OTHER_EVERY_MS = 200;
/** The share of the deliveries that are sent when the stack is stopped. */
const STOPPED_AT = 0.4;
/** Milliseconds within which the last requests of the recovery must arrive. */
const LAST_WITHIN_MS = 120_000;
const RETENTION_DAYS = 30;

const megabytes = (): number => Math.round(process.memoryUsage().rss / 2 ** 20);

const delays = (values: readonly number[]) => ({
  p50: round(percentile(values, 0.5)),
  p99: round(percentile(values, 0.99)),
});

/** Writes dead deliveries of a webhook, each of an event of its own. The events have no kind, so none is fanned out. */
const writeDead = (stack: LocalStack, owner: string, webhookId: string, count: number) => {
  const client = new DynamoDBClient({
    endpoint: stack.dynamoEndpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const [domain, delivery] = [stack.tableName(env.domainTable), stack.tableName(env.deliveryTable)];
  const fromMs = Date.now() - HOUR_MS;
  const put = (row: object) => ({
    PutRequest: { Item: marshall(rowOf({ ...row }), { removeUndefinedValues: true }) },
  });
  return inBatches(
    Array.from({ length: count }, (_, n) => n),
    12,
    async (numbers) => {
      const events = numbers.map((n): StoredEvent => {
        const atMs = fromMs + Math.floor((n * HOUR_MS) / (2 * count));
        const created_at = new Date(atMs).toISOString();
        const about = { owner, customer: null, origin: 'publish', type: 'task.accepted', resource: null } as const;
        const rest = { data: '{"n":1}', meta: null, publisher_id: null, sequence: null, created_at };
        return { id: drawId('evt', atMs), ...about, ...rest };
      });
      const dead = events.map((event) => {
        const settled_at = Date.parse(event.created_at);
        const row = { ...newDelivery(event, webhookId), status: 'dead', ticket: 7, attempts_made: 6, settled_at };
        return { ...row, ...deliveryKey(row.id), kind: 'delivery', att_pk: attentionPkOf(row.id, 'dead') };
      });
      const eventRows = events.map((event) => ({ ...eventToRow(event, RETENTION_DAYS), kind: undefined }));
      await client.send(
        new BatchWriteItemCommand({ RequestItems: { [domain]: eventRows.map(put), [delivery]: dead.map(put) } }),
      );
    },
  ).finally(() => client.destroy());
};

/** Starts the receiver in a process of its own. `count` returns the requests so far, `take` returns and forgets them. */
const startReceiver = async () => {
  const receiver = fork(new URL('./receiver.ts', import.meta.url));
  const [{ port }] = (await once(receiver, 'message')) as [{ port: number }];
  let asking: Promise<unknown> = Promise.resolve();
  const ask = <T>(command: string): Promise<T> => {
    const answer = asking.then(async () => {
      receiver.send(command);
      return ((await once(receiver, 'message')) as [T])[0];
    });
    asking = answer;
    return answer;
  };
  return {
    url: (path: string) => `http://127.0.0.1:${port}${path}`,
    count: async () => (await ask<{ count: number }>('count')).count,
    take: async () => (await ask<{ received: Received[] }>('take')).received,
    stop: () => receiver.disconnect(),
  };
};

/** Calls the API of the stack that runs at the moment. */
const callerOf =
  (stack: () => LocalStack, key: () => string) =>
  async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`${stack().url}/api/public/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key()}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  };

/**
 * Recovers 100,000 dead deliveries of one webhook on a local stack that is stopped in the middle and started again, while
 * another webhook gets five events a second. Measures the dry run, the recovery, the memory of the stack's process, and the
 * delay of the other webhook before and during the recovery.
 */
export const recoveryBacklog = async (dead = 100_000): Promise<Figures> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'passpost-recovery-'));
  const receiver = await startReceiver();
  let stack = await startStack({ dataDir, warm: true });
  try {
    let key = stack.operatorKey;
    const api = callerOf(
      () => stack,
      () => key,
    );
    const account = { name: 'Bench', rate_limit_per_minute: 30_000, deliveries_per_minute: 600_000 };
    const { id: accountId, key: accountKey } = await api<{ id: string; key: string }>('POST', '/accounts', account);
    key = accountKey;
    const add = (path: string, type: string) =>
      api<{ id: string }>('POST', '/webhooks', { url: receiver.url(path), events: [type], allow_http: true });
    const { id: webhookId } = await add('/quick?failed', 'task.accepted');
    await add('/quick?other', 'task.cancelled');
    await writeDead(stack, `${accountId}#live`, webhookId, dead);

    /** Publishes events for the other webhook until the promise settles. Returns their delays in milliseconds. */
    const watch = async (until: Promise<unknown>): Promise<number[]> => {
      let isOver = false;
      void until.finally(() => {
        isOver = true;
      });
      while (!isOver) {
        // The call fails while the stack is stopped.
        await api('POST', '/events', { type: 'task.cancelled', data: {} }).catch(() => undefined);
        await sleep(OTHER_EVERY_MS);
      }
      await sleep(2000);
      const requests = await receiver.take();
      sent += requests.filter(({ path }) => path.endsWith('failed')).length;
      return requests.filter(({ path }) => path.endsWith('other')).map(({ latencyMs }) => latencyMs);
    };
    let sent = 0;
    const before = await watch(sleep(10_000));

    const window = { since: '2020-01-01T00:00:00Z', until: new Date().toISOString() };
    const dryMs = performance.now();
    const { count } = await api<{ count: number }>('POST', `/webhooks/${webhookId}/recover`, {
      ...window,
      dry_run: true,
    });
    const drySeconds = round((performance.now() - dryMs) / 1000);

    const memory: Record<string, number> = { start: megabytes() };
    const startMs = performance.now();
    await api('POST', `/webhooks/${webhookId}/recover`, window);
    const untilSent = async (share: number): Promise<void> => {
      while ((await receiver.count()) + sent < share * dead) await sleep(500);
      memory[`${share * 100} %`] = megabytes();
    };
    const during = await watch(untilSent(STOPPED_AT / 2).then(() => untilSent(STOPPED_AT)));
    await stack.stop();
    stack = await startStack({ dataDir, warm: true });
    const afterwards = await watch(untilSent(0.7).then(() => untilSent(1)));
    const seconds = round((performance.now() - startMs) / 1000);
    for (const endMs = Date.now() + LAST_WITHIN_MS; sent < dead && Date.now() < endMs; await sleep(500)) {
      sent += (await receiver.take()).filter(({ path }) => path.endsWith('failed')).length;
    }
    return {
      'dead deliveries found by the dry run': count,
      's of the dry run': drySeconds,
      's of the recovery': seconds,
      'requests to the webhook': sent,
      'memory of the process, MiB': memory,
      'other webhook before, ms': delays(before),
      'other webhook during, ms': delays(during),
      'other webhook after the restart, ms': delays(afterwards),
    };
  } finally {
    receiver.stop();
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
};
