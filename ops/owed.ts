import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { DUE_SHARDS, duePk, indexes } from '../lambdas/adapters/rows/table-keys.ts';
import { webhookOfDelivery } from '../lambdas/domain/foundation/id.ts';
import { ago, type Command } from './command.ts';
import type { Deployment } from './deployment.ts';
import { type Depth, depthOf } from './queue-messages.ts';

/** What is done within a minute of its time was not late. */
const LATE_MS = 60_000;

export interface Owed {
  /** Standing in the due index. */
  readonly owed: number;
  /** Of them, waiting longer than the queue could carry. */
  readonly parked: number;
  /** Of them, due for more than a minute. */
  readonly overdue: number;
  readonly oldest: { readonly delivery_id: string; readonly webhook_id: string; readonly due_at: string } | null;
  readonly queues: { readonly deliveries: Depth; readonly slow: Depth };
}

export const readOwed = async ({ dynamo, sqs, resources }: Deployment, nowMs: number): Promise<Owed> => {
  const oneShard = async (shard: number) => {
    const rows: { readonly sk: string; readonly dueAtMs: number; readonly isParked: boolean }[] = [];
    const query = {
      TableName: resources.deliveryTable,
      IndexName: indexes.due,
      KeyConditionExpression: 'due_pk = :pk',
      ExpressionAttributeValues: marshall({ ':pk': duePk(shard) }),
      ProjectionExpression: 'sk, due_at, parked',
    };
    for await (const { Items = [] } of paginateQuery({ client: dynamo }, query)) {
      for (const { sk, due_at, parked } of Items.map((item) => unmarshall(item))) {
        rows.push({ sk: String(sk), dueAtMs: Number(due_at), isParked: parked === true });
      }
    }
    return rows;
  };
  const rows = (await Promise.all(Array.from({ length: DUE_SHARDS }, (_, shard) => oneShard(shard)))).flat();
  const oldest = rows.reduce<(typeof rows)[number] | null>(
    (first, row) => (first && first.dueAtMs <= row.dueAtMs ? first : row),
    null,
  );
  const [deliveries, slow] = await Promise.all([depthOf(sqs, resources.deliveries), depthOf(sqs, resources.slow)]);
  return {
    owed: rows.length,
    parked: rows.filter(({ isParked }) => isParked).length,
    overdue: rows.filter(({ dueAtMs }) => dueAtMs < nowMs - LATE_MS).length,
    oldest: oldest && {
      delivery_id: oldest.sk,
      webhook_id: webhookOfDelivery(oldest.sk),
      due_at: new Date(oldest.dueAtMs).toISOString(),
    },
    queues: { deliveries, slow },
  };
};

const depthLine = (name: string, { waiting, in_flight, delayed }: Depth): string =>
  `Queue ${name}: ${waiting} waiting, ${in_flight} in flight, ${delayed} delayed`;

export const owedLines = ({ owed, parked, overdue, oldest, queues }: Owed, nowMs: number): string[] => [
  `Owed again: ${owed} (${parked} parked, ${overdue} overdue)`,
  ...(oldest
    ? [
        Date.parse(oldest.due_at) > nowMs
          ? `Next: ${oldest.delivery_id}, due ${oldest.due_at}`
          : `Oldest: ${oldest.delivery_id}, due ${ago(Date.parse(oldest.due_at), nowMs)}`,
      ]
    : []),
  depthLine('deliveries', queues.deliveries),
  depthLine('slow', queues.slow),
];

export const owed: Command = {
  summary: 'show how much is owed, parked and overdue, and the oldest of it',
  details:
    'What is owed again stands in the due index; first attempts stand in the queues alone. Reads the whole index: a read\nunit for some twenty entries.',
  options: {},
  prepare: () => async (deployment) => {
    const nowMs = Date.now();
    const data = await readOwed(deployment, nowMs);
    return { data, lines: owedLines(data, nowMs) };
  },
};
