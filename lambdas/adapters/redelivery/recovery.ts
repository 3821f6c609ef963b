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

/** A step looks at so many deliveries, and a bit more. */
const LOOK_AT = 200;
/** What a window goes through, one after the other: each status in each shard. */
const listsOf = ({ status }: Pick<RecoveryWindow, 'status'>) =>
  status.flatMap((each) => Array.from({ length: SHARDS }, (_, shard) => ({ status: each, shard })));

const queryOf = (
  deliveryTable: string,
  { webhookId, since, until }: Omit<RecoveryWindow, 'status'>,
  { status, shard }: { readonly status: RecoverableStatus; readonly shard: number },
  after: string | null,
  nowMs: number,
) => {
  // The attention index knows them without the others; a first attempt's row never entered it.
  const isIndexed = status === 'failed' || status === 'dead';
  const from = after ?? idBound('dlv', since);
  const to = idBound('dlv', until);
  const isOverdue = status === 'pending';
  return {
    isEmpty: from > to,
    input: {
      TableName: deliveryTable,
      KeyConditionExpression: '#pk = :pk AND sk BETWEEN :from AND :to',
      // What has expired is gone, though DynamoDB may not have come to it yet.
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

/** How many deliveries a window holds. */
export const createRecoveryCount =
  (client: DynamoDBClient, deliveryTable: string) =>
  async (window: RecoveryWindow, nowMs: number): Promise<number> => {
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

/** A window's deliveries step by step, and the job that tells of it. */
export const createRecovery = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  redeliverBatch: Redeliverer['redeliverBatch'],
): Pick<CommandStore, 'recoverPage' | 'recordRecoveryProgress'> => {
  return {
    async recoverPage({ owner, webhook_id, job_id, since, until, status, call, ...at }, nowMs) {
      const lists = listsOf({ status });
      const found: string[] = [];
      let { list: index, after } = at;
      for (let looked = 0; looked < LOOK_AT && index < lists.length; ) {
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
          : await client.send(new QueryCommand({ ...input, Limit: LOOK_AT }));
        const rows = (page.Items ?? []).map((item) => unmarshall(item));
        // One that this job has sent on already may stand in a later list by now.
        found.push(...rows.filter((row) => row.sk !== after && row.command_id !== job_id).map((row) => String(row.sk)));
        looked += page.ScannedCount ?? 0;
        after = page.LastEvaluatedKey ? String(unmarshall(page.LastEvaluatedKey).sk) : null;
        if (after === null) index++;
      }
      const deliveryIds = [...new Set(found)];
      const tickets = await redeliverBatch(
        {
          id: job_id,
          owner,
          trigger: 'recover',
          event: null,
          statuses: status,
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
      // Refused where a later step has updated the job already, or where the job has expired.
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
