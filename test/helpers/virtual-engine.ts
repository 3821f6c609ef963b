import { BatchWriteItemCommand, GetItemCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { createFanOutStore } from '../../lambdas/adapters/fan-out/fan-out-store.ts';
import { createDueIndex } from '../../lambdas/adapters/maintenance/due-index.ts';
import { eventToRow } from '../../lambdas/adapters/rows/event-row.ts';
import { rowOf } from '../../lambdas/adapters/rows/row.ts';
import { DUE_SHARDS, deliveryKey, indexes, routingKey, webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { createDeliveriesTable } from '../../lambdas/adapters/sending/deliveries-table.ts';
import { createRateLimits } from '../../lambdas/adapters/sending/rate-limits.ts';
import { createReceiverSpeeds } from '../../lambdas/adapters/sending/receiver-speed.ts';
import { createWebhookHealth } from '../../lambdas/adapters/sending/webhook-health.ts';
import { type StoredDelivery, storedDeliverySchema } from '../../lambdas/domain/deliveries/delivery.ts';
import type { StoredEvent } from '../../lambdas/domain/events/event.ts';
import { type Change, fanOut } from '../../lambdas/domain/fan-out/fan-out.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import type { SweepProgress } from '../../lambdas/domain/maintenance/due-tick.ts';
import { sweepDue } from '../../lambdas/domain/maintenance/sweep-due.ts';
import type { Answer, PostRequest } from '../../lambdas/domain/sending/attempt-delivery.ts';
import type { DeliveryOutcome } from '../../lambdas/domain/sending/batch-run.ts';
import { type DeliverDependencies, deliverBatch } from '../../lambdas/domain/sending/deliver-batch.ts';
import { createLaneMemory } from '../../lambdas/domain/sending/slow-lane.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { profileOf } from '../../lambdas/profiles/index.ts';
import { material } from './signing-material.ts';
import type { Tables } from './tables.ts';
import { createVirtualQueue, type Message } from './virtual-queue.ts';

/** The owner of a new account's live data. */
export const anOwner = (): string => `${drawId('acc', Date.now())}#live`;

/** A published event. The engine sets its owner. */
export const anEvent = (over: Partial<StoredEvent> = {}, nowMs = Date.now()): StoredEvent => ({
  id: drawId('evt', nowMs),
  owner: '',
  customer: null,
  origin: 'publish',
  type: 'task.accepted',
  resource: null,
  data: '{"task":{"id":"tsk_1"}}',
  meta: null,
  publisher_id: null,
  sequence: null,
  created_at: new Date(nowMs).toISOString(),
  ...over,
});

export const aWebhook = (over: Partial<StoredWebhook> = {}, nowMs = Date.now()): StoredWebhook => ({
  id: drawId('whk', nowMs),
  owner: '',
  customer: null,
  url: 'https://receiver.example/hook',
  events: ['task.accepted'],
  resource: null,
  description: null,
  enabled: true,
  disabled_reason: null,
  profile: 'passpost',
  profile_options: {},
  schedule: null,
  timeout_seconds: 10,
  api_version: '2026-11-01',
  allow_http: false,
  max_per_second: null,
  max_in_flight: null,
  auto_disable_after_hours: null,
  secrets: [{ sealed: 'sealed', expires_at: null }],
  basic_auth: null,
  headers: null,
  version: 1,
  created_at: new Date(nowMs).toISOString(),
  updated_at: new Date(nowMs).toISOString(),
  deleted_at: null,
  ...over,
});

export interface Post extends PostRequest {
  readonly atMs: number;
}

/** A receiver's answer to a post; `number` counts all posts from 1. */
export type Answering = (post: Post, number: number) => Partial<Answer> | Promise<Partial<Answer>>;

/**
 * The engine on real tables under virtual time: the queue delays messages by whole seconds, the due tick runs every
 * minute, and a failed message comes back after the visibility timeout. With `sharedQueue`, two accounts have one queue:
 * the engine that passes time delivers the messages of both.
 */
export const createVirtualEngine = (
  tables: Tables,
  answer: Answering,
  options: { startMs?: number; owner?: string; sharedQueue?: ReturnType<typeof createVirtualQueue> } = {},
) => {
  const { owner = anOwner() } = options;
  let nowMs = options.startMs ?? Date.UTC(2026, 10, 1);
  let nextTickMs = Math.ceil(nowMs / 60_000) * 60_000;
  const clock = (): number => nowMs;
  const posts: Post[] = [];
  const outcomes: DeliveryOutcome[] = [];
  const deadLetters: Message[] = [];
  const faults = {
    /** Number of queue sends that throw. */
    send: 0,
    /** Number of batches that throw before they are recorded. */
    beforeRecord: 0,
    /** Number of batches that throw after they were recorded. */
    afterRecord: 0,
    /** Number of reads of the keyring that throw. */
    open: 0,
  };

  const names = { domain: tables.domainTable, delivery: tables.deliveryTable };
  const table = createDeliveriesTable(tables.client, names, 30);
  const rows = createFanOutStore(tables.client, names, 30, (type) => type.startsWith('webhook.'));
  const index = createDueIndex(tables.client, tables.deliveryTable);
  // The progress of the due tick. It is not in the table, because engines of one file have times of their own.
  let sweepProgress: { progress: SweepProgress; version: number } | null = null;
  const sweepStore = {
    progress: async () => sweepProgress,
    async saveProgress(progress: SweepProgress, version: number) {
      if (version !== (sweepProgress?.version ?? 0)) return false;
      sweepProgress = { progress, version: version + 1 };
      return true;
    },
  };

  const { messages, queue } = options.sharedQueue ?? createVirtualQueue(faults);

  const dependencies: DeliverDependencies = {
    store: {
      ...table,
      ...createReceiverSpeeds(tables.client, tables.deliveryTable),
      ...createRateLimits(tables.client, tables.deliveryTable),
      ...createWebhookHealth(tables.client, names, 30),
      async record(changes) {
        if (faults.beforeRecord > 0) {
          faults.beforeRecord--;
          throw new Error('killed before the record');
        }
        const recorded = await table.record(changes);
        if (faults.afterRecord > 0) {
          faults.afterRecord--;
          throw new Error('killed after the record');
        }
        return recorded;
      },
    },
    queue,
    slowQueue: queue,
    memory: createLaneMemory(),
    accountMinutes: new Map(),
    speed: 1,
    autoDisableAfterHours: 120,
    wait: async (ms) => {
      nowMs += ms;
    },
    profileOf,
    open: async () => {
      if (faults.open > 0) {
        faults.open--;
        throw new Error('the keyring cannot be read');
      }
      return { material, password: null, headers: {} };
    },
    post: async (request) => {
      const post = { ...request, atMs: nowMs };
      posts.push(post);
      const overrides = await answer(post, posts.length);
      return {
        status: 200,
        body: '',
        retryAfter: null,
        startedAtMs: post.atMs,
        durationMs: 0,
        error: null,
        ...overrides,
      };
    },
    clock,
  };

  /** Delivers messages in one batch. `over` replaces dependencies. */
  const deliver = async (batch: readonly Message[], over: Partial<DeliverDependencies> = {}): Promise<void> => {
    for (const message of batch) {
      message.receives++;
      message.visibleAtMs = nowMs + 270_000;
    }
    const rowsOfMessages = await table.read(batch.map(({ ticket }) => ticket));
    const assignments = batch.flatMap(({ id, ticket, receives }, i) => {
      const read = rowsOfMessages[i];
      if (read === undefined || read instanceof Error) return [];
      return [{ messageId: String(id), ticket, isRedelivered: receives > 1, ...read }];
    });
    const batchOutcomes = await deliverBatch(assignments, 'fast', { ...dependencies, ...over });
    outcomes.push(...batchOutcomes);
    const failed = new Set(
      batchOutcomes.filter(({ outcome }) => outcome === 'failed').map(({ messageId }) => messageId),
    );
    for (const message of batch) {
      if (!failed.has(String(message.id))) messages.delete(message);
      else if (message.receives === 20) deadLetters.push(...(messages.delete(message) ? [message] : []));
    }
  };

  /** Runs a tick of the due index. `isTimeUp` returns true when the tick must stop. */
  const sweep = (tickAtMs: number, isTimeUp = () => false) =>
    sweepDue(tickAtMs, { index, store: sweepStore, queue, clock, speed: 1, shards: DUE_SHARDS }, isTimeUp);

  const put = (table: string, items: Record<string, unknown>[]) =>
    tables.client.send(
      new BatchWriteItemCommand({
        RequestItems: {
          [table]: items.map((item) => ({
            PutRequest: { Item: marshall(item, { removeUndefinedValues: true, convertClassInstanceToMap: true }) },
          })),
        },
      }),
    );

  /** The time of the first tick that has work. Ticks without work are skipped, because a day has 1,440 ticks. */
  const nextTickWithWork = async (): Promise<number> => {
    const { Items = [] } = await tables.client.send(
      new ScanCommand({ TableName: names.delivery, IndexName: indexes.due }),
    );
    const workTimesMs = Items.map((item) => unmarshall(item))
      .filter(({ due_pk }) => due_pk.startsWith('D#'))
      .map(({ due_at, parked }) => (parked ? due_at - 780_000 : due_at + 300_000));
    const earliestMs = Math.min(...workTimesMs);
    return Number.isFinite(earliestMs) ? Math.max(nextTickMs, Math.ceil(earliestMs / 60_000) * 60_000) : earliestMs;
  };

  return {
    owner,
    posts,
    outcomes,
    messages,
    deadLetters,
    faults,
    queue,
    store: dependencies.store,
    deliver,
    now: clock,
    /** Passes time without a tick and without a delivery. */
    skipTo: (timeMs: number) => {
      nowMs = timeMs;
    },
    /** Removes all messages from the queue. */
    purge: () => messages.clear(),
    async addWebhooks(...webhooks: StoredWebhook[]) {
      for (const webhook of webhooks.map((given) => ({ ...given, owner }))) {
        await put(names.domain, [{ ...webhookKey(webhook.owner, webhook.id), kind: 'webhook', ...rowOf(webhook) }]);
        for (const type of webhook.events) {
          await tables.client.send(
            new UpdateItemCommand({
              TableName: names.domain,
              Key: marshall(routingKey(webhook.owner, type, webhook.customer)),
              UpdateExpression: 'ADD webhooks :entry',
              ExpressionAttributeValues: { ':entry': { SS: [`${webhook.id}|${webhook.resource ?? ''}`] } },
            }),
          );
        }
      }
    },
    putWebhook: (webhook: StoredWebhook) =>
      put(names.domain, [{ ...webhookKey(owner, webhook.id), kind: 'webhook', ...rowOf({ ...webhook, owner }) }]),
    /** Writes the events and fans them out once. */
    async publish(...published: StoredEvent[]) {
      const events = published.map((event) => ({ ...event, owner }));
      for (const event of events) {
        await put(names.domain, [rowOf(eventToRow(event, 30))]);
      }
      const changes: Change[] = events.map((event) => ({ kind: 'event', event, isStored: true }));
      return fanOut(changes, { store: rows, queue, clock }, () => false);
    },
    fanOut: (changes: readonly Change[]) => fanOut(changes, { store: rows, queue, clock }, () => false),
    sweep,
    /** Passes time, and delivers each message and runs each tick when it is due. */
    async passUntil(untilMs: number) {
      for (;;) {
        const nextMessageMs = Math.min(...[...messages].map(({ visibleAtMs }) => visibleAtMs));
        nextTickMs = Math.max(nextTickMs, Math.ceil(nowMs / 60_000) * 60_000);
        const tickMs = await nextTickWithWork();
        if (Math.min(nextMessageMs, tickMs) > untilMs) break;
        nowMs = Math.max(nowMs, Math.min(nextMessageMs, tickMs));
        if (tickMs <= nowMs) {
          await sweep(tickMs);
          nextTickMs = tickMs + 60_000;
        }
        const visible = [...messages].filter(({ visibleAtMs }) => visibleAtMs <= nowMs).slice(0, 10);
        if (visible.length > 0) await deliver(visible);
      }
      nowMs = Math.max(nowMs, untilMs);
    },
    async delivery(id: string): Promise<StoredDelivery> {
      const { Item = {} } = await tables.client.send(
        new GetItemCommand({ TableName: names.delivery, Key: marshall(deliveryKey(id)), ConsistentRead: true }),
      );
      return storedDeliverySchema.parse(unmarshall(Item));
    },
  };
};
