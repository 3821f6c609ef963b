import {
  type DynamoDBClient,
  QueryCommand,
  type QueryCommandOutput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import {
  PENDING_OVERDUE_AFTER_MS,
  type RecoverableStatus,
  type RecoveryWindow,
} from '../../domain/deliveries/recovery-window.ts';
import type { CommandStore } from '../../domain/fan-out/run-command.ts';
import { idBound, timeOfId } from '../../domain/foundation/id.ts';
import { SECOND_MS } from '../../domain/foundation/time.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { jobListSk } from '../rows/job-row.ts';
import { attentionPk, deliveryPk, indexes, jobKey, SHARDS } from '../rows/table-keys.ts';
import type { Redeliverer } from './redeliver.ts';

/** The number of rows after which a page of a recovery stops reading. The last query may read as many rows again. */
const ROWS_PER_PAGE = 200;

/** Returns the lists of a recovery window in the order in which they are read: each status in each shard. */
const listsOf = ({ status }: Pick<RecoveryWindow, 'status'>) =>
  status.flatMap((name) => Array.from({ length: SHARDS }, (_, shard) => ({ status: name, shard })));

const queryOf = (
  deliveryTable: string,
  { webhookId, since, until }: Omit<RecoveryWindow, 'status'>,
  { status, shard }: { readonly status: RecoverableStatus; readonly shard: number },
  after: string | null,
  nowMs: number,
) => {
  // Reads failed and dead deliveries from the attention index, and the other statuses from the table, because a
  // delivery that waits for its first attempt is not in the index.
  const isIndexed = status === 'failed' || status === 'dead';
  const from = after ?? idBound('dlv', since);
  const to = idBound('dlv', until);
  const isOverdue = status === 'pending';
  return {
    isEmpty: from > to,
    input: {
      TableName: deliveryTable,
      KeyConditionExpression: '#pk = :pk AND sk BETWEEN :from AND :to',
      // Filters out expired rows, because DynamoDB deletes them with a delay.
      FilterExpression: `#status = :status AND (attribute_not_exists(#ttl) OR #ttl > :now)${isOverdue ? ' AND due_at < :overdue' : ''}`,
      ExpressionAttributeNames: { '#pk': isIndexed ? 'att_pk' : 'pk', '#status': 'status', '#ttl': 'ttl' },
      ExpressionAttributeValues: marshall({
        ':pk': isIndexed ? attentionPk(webhookId, shard, status) : deliveryPk(webhookId, shard),
        ':from': from,
        ':to': to,
        ':status': status,
        ':now': Math.floor(nowMs / SECOND_MS),
        ...(isOverdue ? { ':overdue': nowMs - PENDING_OVERDUE_AFTER_MS } : {}),
      }),
      ...(isIndexed ? { IndexName: indexes.attention } : { ConsistentRead: true }),
    },
  };
};

/** Counts the deliveries of a recovery window. */
export const countRecoverable = async (
  client: DynamoDBClient,
  deliveryTable: string,
  window: RecoveryWindow,
  nowMs: number,
): Promise<number> => {
  const counts = await Promise.all(
    listsOf(window).map(async (list) => {
      const { isEmpty, input } = queryOf(deliveryTable, window, list, null, nowMs);
      let count = 0;
      let start: Record<string, never> | undefined;
      while (!isEmpty) {
        const page = await client.send(
          new QueryCommand({ ...input, Select: 'COUNT', ...(start ? { ExclusiveStartKey: start } : {}) }),
        );
        count += page.Count ?? 0;
        start = page.LastEvaluatedKey as typeof start;
        if (!start) break;
      }
      return count;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
};

/** Redelivers a recovery window page by page, and records the progress in the job's row. */
export const createRecovery = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  redeliverBatch: Redeliverer['redeliverBatch'],
): Pick<CommandStore, 'recoverPage' | 'recordRecoveryProgress'> => {
  return {
    async recoverPage({ owner, webhook_id, job_id, since, until, status, call, ...position }, nowMs) {
      const lists = listsOf({ status });
      const ids: string[] = [];
      let { list: index, after } = position;
      for (let rowsRead = 0; rowsRead < ROWS_PER_PAGE && index < lists.length; ) {
        const list = lists[index] ?? { status: 'dead', shard: 0 };
        const { isEmpty, input } = queryOf(
          tables.delivery,
          { webhookId: webhook_id, since, until },
          list,
          after,
          nowMs,
        );
        const page: Partial<QueryCommandOutput> = isEmpty
          ? {}
          : await client.send(new QueryCommand({ ...input, Limit: ROWS_PER_PAGE }));
        const rows = (page.Items ?? []).map((item) => unmarshall(item));
        // Skips deliveries that this job has rescheduled already: such a delivery may be in a later list now.
        ids.push(...rows.filter((row) => row.sk !== after && row.command_id !== job_id).map((row) => String(row.sk)));
        rowsRead += page.ScannedCount ?? 0;
        after = page.LastEvaluatedKey ? String(unmarshall(page.LastEvaluatedKey).sk) : null;
        if (after === null) index++;
      }
      const deliveryIds = [...new Set(ids)];
      const tickets = await redeliverBatch(
        {
          id: job_id,
          owner,
          trigger: 'recover',
          event: null,
          isSelected: (delivery) => status.some((name) => name === delivery.status),
          deliveryIds,
          requestedBy: call?.request_id,
        },
        nowMs,
      );
      return { tickets, next: index < lists.length ? { list: index, after } : null };
    },

    async recordRecoveryProgress({ job_id }, done, isLast, nowMs) {
      const status = isLast ? 'completed' : 'running';
      const createdAt = new Date(timeOfId(job_id)).toISOString();
      // Changes nothing if a later step has completed the job already, or if the job has expired.
      await nullIfRefused(
        client.send(
          new UpdateItemCommand({
            TableName: tables.domain,
            Key: marshall(jobKey(job_id)),
            UpdateExpression: `SET #status = :status, list_sk = :list, progress.done = :done${
              isLast ? ', progress.#total = :done, completed_at = :now, #data = :data' : ''
            } ADD version :one`,
            ConditionExpression: 'attribute_not_exists(completed_at) AND attribute_exists(pk)',
            ExpressionAttributeNames: {
              '#status': 'status',
              ...(isLast ? { '#total': 'total', '#data': 'data' } : {}),
            },
            ExpressionAttributeValues: marshall({
              ':status': status,
              ':list': jobListSk(status, createdAt, job_id),
              ':done': done,
              ':one': 1,
              ...(isLast
                ? { ':now': new Date(nowMs).toISOString(), ':data': JSON.stringify({ recovered: done }) }
                : {}),
            }),
          }),
        ),
      );
    },
  };
};
