import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { DUE_SHARDS, duePk, indexes } from '../lambdas/adapters/rows/table-keys.ts';
import { webhookOfDelivery } from '../lambdas/domain/foundation/id.ts';
import { ago, type Command } from './command.ts';
import type { Deployment } from './deployment.ts';
import { type Depth, depthOf } from './queue-messages.ts';

/** Time after which the report counts a due delivery as overdue: one minute. */
const REPORT_OVERDUE_AFTER_MS = 60_000;

export interface Backlog {
  /** Number of deliveries in the due index, which wait for another attempt. */
  readonly owed: number;
  /** Number of the waiting deliveries that are parked, because their wait exceeds the maximum delay of SQS. */
  readonly parked: number;
  /** Number of the waiting deliveries that have been due for more than one minute. */
  readonly overdue: number;
  readonly oldest: { readonly delivery_id: string; readonly webhook_id: string; readonly due_at: string } | null;
  readonly queues: { readonly deliveries: Depth; readonly slow: Depth };
}

/** Counts the deliveries in the whole due index, and reads the depth of both lanes' queues. */
export const readBacklog = async ({ dynamo, sqs, resources }: Deployment, nowMs: number): Promise<Backlog> => {
  const readShard = async (shard: number) => {
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
  const rows = (await Promise.all(Array.from({ length: DUE_SHARDS }, (_, shard) => readShard(shard)))).flat();
  const oldest = rows.reduce<(typeof rows)[number] | null>(
    (earliest, row) => (earliest && earliest.dueAtMs <= row.dueAtMs ? earliest : row),
    null,
  );
  const [deliveries, slow] = await Promise.all([depthOf(sqs, resources.deliveries), depthOf(sqs, resources.slow)]);
  return {
    owed: rows.length,
    parked: rows.filter(({ isParked }) => isParked).length,
    overdue: rows.filter(({ dueAtMs }) => dueAtMs < nowMs - REPORT_OVERDUE_AFTER_MS).length,
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

export const backlogLines = ({ owed, parked, overdue, oldest, queues }: Backlog, nowMs: number): string[] => [
  `Waiting for another attempt: ${owed} (${parked} parked, ${overdue} overdue)`,
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
  summary: 'count deliveries that wait for another attempt, and show the oldest',
  details:
    'Deliveries that wait for another attempt are in the due index; first attempts are only in the queues. Reads the whole\nindex: one read unit for about twenty entries.',
  options: {},
  prepare: () => async (deployment) => {
    const nowMs = Date.now();
    const data = await readBacklog(deployment, nowMs);
    return { data, lines: backlogLines(data, nowMs) };
  },
};
