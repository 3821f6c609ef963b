import {
  type AttributeValue,
  DeleteItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { createRollUpStore } from '../../lambdas/adapters/maintenance/roll-up-store.ts';
import {
  accountIdKey,
  hourKey,
  lostChangesProgressKey,
  retentionProgressKey,
  rollUpProgressKey,
} from '../../lambdas/adapters/rows/table-keys.ts';
import { deliveryId, drawId } from '../../lambdas/domain/foundation/id.ts';
import { extendEventRetention, type RetentionStore } from '../../lambdas/domain/maintenance/extend-event-retention.ts';
import { type RollUpStore, rollUp } from '../../lambdas/domain/maintenance/roll-up.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import type { Tables } from './tables.ts';
import { type Answering, anEvent, aWebhook, createVirtualEngine } from './virtual-engine.ts';

const HOUR_MS = 3_600_000;

/** Deletes all accounts and the progress rows, because one roll-up serves all accounts and tests share the tables. */
export const forgetAccounts = async ({ client, deliveryTable }: Tables): Promise<void> => {
  const { pk } = accountIdKey('');
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: deliveryTable,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: marshall({ ':pk': pk }),
    }),
  );
  const keys = [
    marshall(rollUpProgressKey),
    marshall(retentionProgressKey),
    marshall(lostChangesProgressKey),
    ...Items.map(({ pk, sk }) => ({ pk, sk })),
  ];
  for (const Key of keys) {
    await client.send(new DeleteItemCommand({ TableName: deliveryTable, Key: Key as Record<string, AttributeValue> }));
  }
};

/** The engine with an account of its own. The test starts each tick of the roll-up itself. */
export const createRolledEngine = async (tables: Tables, answer: Answering, startMs = Date.UTC(2026, 10, 1, 9)) => {
  const accountId = drawId('acc', startMs);
  await tables.client.send(
    new PutItemCommand({ TableName: tables.deliveryTable, Item: marshall(accountIdKey(accountId)) }),
  );
  const engine = createVirtualEngine(tables, answer, { startMs, owner: `${accountId}#live` });
  const names = { domain: tables.domainTable, delivery: tables.deliveryTable };
  const store = createRollUpStore(tables.client, names, 30);

  return {
    ...engine,
    store,
    startMs,
    passHours: (hours: number) => engine.passUntil(startMs + hours * HOUR_MS),
    /** Runs the hourly counts of a tick now. `over` replaces methods of the store. */
    tick: (over: Partial<RollUpStore> = {}, isTimeUp = () => false) =>
      rollUp(
        engine.now(),
        {
          store: { ...store, ...over },
          queue: engine.queue,
          clock: engine.now,
          speed: 1,
          retentionHours: 720,
        },
        isTimeUp,
      ),
    /** Runs the other half of a tick now: it extends the events of unfinished deliveries. */
    extendRetention: (over: Partial<RetentionStore> = {}, isTimeUp = () => false) =>
      extendEventRetention(
        engine.now(),
        { store: { ...store, ...over }, queue: engine.queue, clock: engine.now, retentionDays: 30 },
        isTimeUp,
      ),
    /** Deletes expired rows, as DynamoDB does after some days. */
    async expire(): Promise<void> {
      for (const TableName of [tables.domainTable, tables.deliveryTable]) {
        const { Items = [] } = await tables.client.send(
          new ScanCommand({
            TableName,
            FilterExpression: '#ttl <= :now',
            ExpressionAttributeNames: { '#ttl': 'ttl' },
            ExpressionAttributeValues: marshall({ ':now': Math.floor(engine.now() / 1000) }),
          }),
        );
        for (const { pk, sk } of Items) {
          const Key = { pk, sk } as Record<string, AttributeValue>;
          await tables.client.send(new DeleteItemCommand({ TableName, Key }));
        }
      }
    },
    /** The hour rows of a webhook. */
    async hours(webhookId: string): Promise<Record<string, unknown>[]> {
      const { Items = [] } = await tables.client.send(
        new QueryCommand({
          TableName: tables.deliveryTable,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :hour)',
          ExpressionAttributeValues: marshall({ ':pk': hourKey(webhookId, 0).pk, ':hour': 'hour#' }),
          ConsistentRead: true,
        }),
      );
      return Items.map((item) => unmarshall(item));
    },
  };
};

/** `createRolledEngine` with one webhook, and helpers for its deliveries. */
export const startRolled = async (
  tables: Tables,
  answer: Answering = () => ({ status: 200 }),
  webhook: StoredWebhook = aWebhook(),
) => {
  const engine = await createRolledEngine(tables, answer);
  await engine.addWebhooks(webhook);
  const publish = async (count = 1) => {
    const events = Array.from({ length: count }, () => anEvent({}, engine.now()));
    const ids = events.map((event) => deliveryId(engine.now(), event.id, webhook.id));
    await engine.publish(...events);
    return ids;
  };
  const statuses = (ids: readonly string[]) => Promise.all(ids.map(async (id) => (await engine.delivery(id)).status));
  return { engine, webhook, publish, statuses };
};
