import { setTimeout as sleep } from 'node:timers/promises';
import { BatchWriteItemCommand, CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { inBatches } from '../lambdas/adapters/aws/retry.ts';
import { createDueIndex, createSweepStore } from '../lambdas/adapters/maintenance/due-index.ts';
import { indexAttributes, indexes } from '../lambdas/adapters/rows/key-names.ts';
import { DUE_SHARDS, deliveryKey, duePkOf } from '../lambdas/adapters/rows/table-keys.ts';
import type { DeliveryTicket } from '../lambdas/domain/deliveries/delivery.ts';
import { deliveryId, drawId } from '../lambdas/domain/foundation/id.ts';
import { sweepDue } from '../lambdas/domain/maintenance/sweep-due.ts';
import { startDynoxide } from '../local/tables/dynoxide.ts';
import { type Figures, round } from './figures.ts';

const TableName = 'delivery';
const MINUTE_MS = 60_000;
/** The time of a tick in milliseconds: its timeout of 55 s, less the 10 s before which it stops. */
const TICK_MS = 45_000;
/** The duration of a call of SQS for ten messages, in milliseconds. */
const CALL_MS = 10;
const PARKED = 1000;

const createTable = (client: DynamoDBClient) => {
  const { partitionKey, sortKey } = indexAttributes.due;
  const key = (pk: string, sk: string) => [
    { AttributeName: pk, KeyType: 'HASH' as const },
    { AttributeName: sk, KeyType: 'RANGE' as const },
  ];
  return client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: key('pk', 'sk'),
      AttributeDefinitions: [
        ...['pk', 'sk', partitionKey].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
        { AttributeName: sortKey, AttributeType: 'N' },
      ],
      GlobalSecondaryIndexes: [
        { IndexName: indexes.due, KeySchema: key(partitionKey, sortKey), Projection: { ProjectionType: 'ALL' } },
      ],
    }),
  );
};

const writeRows = (client: DynamoDBClient, count: number, dueAtMs: number, parked: boolean) => {
  const webhookId = drawId('whk', dueAtMs);
  const ids = Array.from({ length: count }, (_, n) => deliveryId(dueAtMs, `evt_${n}`, webhookId));
  const rowOf = (id: string) => ({
    ...{ ...deliveryKey(id), due_pk: duePkOf(id), due_at: dueAtMs, ticket: 2, event_id: 'evt_1' },
    ...{ owner: 'acc_1#live', ...(parked ? { parked } : {}) },
  });
  return inBatches(ids, 25, (batch) =>
    client.send(
      new BatchWriteItemCommand({
        RequestItems: { [TableName]: batch.map((id) => ({ PutRequest: { Item: marshall(rowOf(id)) } })) },
      }),
    ),
  );
};

/**
 * Runs ticks of the due index over 500,000 deliveries whose reminders fall due at the same time, and over 1,000 parked
 * deliveries. Measures the duration of each tick and when the last parked delivery got its message. The queue is not an
 * engine: each call of ten messages takes 10 ms.
 */
export const dueBacklog = async (overdue = 500_000): Promise<Figures> => {
  const engine = await startDynoxide();
  try {
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const client = new DynamoDBClient({ endpoint: engine.endpoint, region: 'us-east-1', credentials });
    await createTable(client);
    const atMs = Date.now();
    await writeRows(client, overdue, atMs - 5 * MINUTE_MS, false);
    await writeRows(client, PARKED, atMs + 10 * MINUTE_MS, true);
    let lastParkedMs = 0;
    const queue = {
      send: async (tickets: readonly DeliveryTicket[]) => {
        await inBatches(tickets, 10, () => sleep(CALL_MS));
        if (tickets.some(({ dueAtMs }) => dueAtMs > atMs)) lastParkedMs = performance.now();
      },
    };
    const dependencies = {
      index: createDueIndex(client, TableName),
      store: createSweepStore(client, TableName),
      ...{ queue, clock: Date.now, speed: 1, shards: DUE_SHARDS },
    };
    const seconds: Record<string, number> = {};
    const reminded: Record<string, number> = {};
    let parkedSeconds = 0;
    for (let tick = 0, complete = false; !complete && tick < 30; tick++) {
      const startMs = performance.now();
      const isTimeUp = () => performance.now() - startMs > TICK_MS;
      const report = await sweepDue(atMs + tick * MINUTE_MS, dependencies, isTimeUp);
      if (tick === 0) parkedSeconds = (lastParkedMs - startMs) / 1000;
      seconds[`tick ${tick}`] = round((performance.now() - startMs) / 1000);
      reminded[`tick ${tick}`] = report.reminded;
      complete = report.complete;
    }
    return { 'parked messages sent after s': round(parkedSeconds), 's of each tick': seconds, reminders: reminded };
  } finally {
    await engine.stop();
  }
};
