import { type DynamoDBClient, GetItemCommand, QueryCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { mayUse } from '../../domain/foundation/customer.ts';
import { mergedPage } from '../../domain/foundation/merged-page.ts';
import type { Page, Position } from '../../domain/foundation/page.ts';
import { SCHEDULE_DAYS } from '../../domain/foundation/retention.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { type NewWebhookStore, tooManyWithUrl } from '../../domain/webhooks/create-webhook.ts';
import type { RotationStore } from '../../domain/webhooks/rotate-secret.ts';
import { type StoredWebhook, storedWebhookSchema } from '../../domain/webhooks/webhook.ts';
import { rotationViewSchema, webhookViewSchema } from '../../domain/webhooks/webhook-view.ts';
import { putFirstAnswer, readFirstAnswer } from '../aws/first-answers.ts';
import { transact } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { commandToRow } from '../rows/command-row.ts';
import { rowOf } from '../rows/row.ts';
import { deliveryPk, healthKey, SHARDS, webhookKey } from '../rows/table-keys.ts';
import { createRoutingChanges } from './event-routing.ts';
import { createWebhookCount, isCountedTogether } from './webhook-count.ts';

const PATH = '/webhooks';
const rotationPath = (id: string): string => `${PATH}/${id}/rotate-secret`;
/**
 * The maximum number of rows that one list call reads, including deleted webhooks. The next page continues after
 * them.
 */
const MAX_ROWS_READ = 2000;

export interface WebhooksTable extends NewWebhookStore, RotationStore {
  /** Finds a webhook even if it is deleted. */
  findAny(owner: string, id: string): Promise<StoredWebhook | null>;
  /**
   * Lists an owner's webhooks that are not deleted, newest first: all, or those of one profile, or those that a customer
   * may use.
   */
  list(
    owner: string,
    limit: number,
    after: Position | null,
    only?: { readonly profile?: string; readonly customer?: string | null },
  ): Promise<Page<StoredWebhook>>;
  /** Lists all webhooks of an owner, including deleted webhooks, newest first. */
  listAny(owner: string): Promise<readonly StoredWebhook[]>;
}

/**
 * Stores webhooks in the domain table. Each change is one transaction with routes, count, first answer, command and
 * audit entry.
 */
export const createWebhooksTable = (
  client: DynamoDBClient,
  { domain: table, delivery: deliveryTable }: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
): WebhooksTable => {
  const routes = createRoutingChanges(client, table);
  const count = createWebhookCount(client, table);

  /** Builds the item of a transaction that puts a row, with a condition if one is given. */
  const put = (row: Readonly<Record<string, unknown>>, condition?: string, values = {}): TransactWriteItem => ({
    Put: {
      TableName: table,
      Item: marshall(rowOf(row), { removeUndefinedValues: true }),
      ...(condition ? { ConditionExpression: condition } : {}),
      ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: marshall(values) } : {}),
    },
  });

  const remove = ({ owner, id }: StoredWebhook, condition: string, values: object): TransactWriteItem => ({
    Delete: {
      TableName: table,
      Key: marshall(webhookKey(owner, id)),
      ConditionExpression: condition,
      ExpressionAttributeValues: marshall(values),
    },
  });

  const webhookRow = (webhook: StoredWebhook, nowMs: number) => ({
    ...webhook,
    ...webhookKey(webhook.owner, webhook.id),
    kind: 'webhook',
    // The row of a deleted webhook is stored as long as any delivery of the webhook, and a day more because clocks
    // differ.
    ttl: webhook.deleted_at && ttlSeconds(nowMs, retentionDays + SCHEDULE_DAYS + 1),
  });

  const findAny = async (owner: string, id: string): Promise<StoredWebhook | null> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: table, Key: marshall(webhookKey(owner, id)), ConsistentRead: true }),
    );
    return Item ? storedWebhookSchema.parse(unmarshall(Item)) : null;
  };

  const firstAnswer = (owner: string, idempotencyKey: string, nowMs: number) => {
    const request = { scope: owner, path: PATH, idempotencyKey };
    return readFirstAnswer(client, table, request, (answer) => webhookViewSchema.parse(answer), nowMs);
  };

  /** Reads an owner's webhooks after the id `after`, newest first. `limit` counts deleted webhooks, too. */
  const query = async (owner: string, after: string | null, limit?: number) => {
    const { pk } = webhookKey(owner, '');
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
        ExpressionAttributeValues: marshall({ ':pk': pk, ':first': 'whk_', ':last': after ?? 'whk_~' }),
        ScanIndexForward: false,
        ConsistentRead: true,
        ...(limit ? { Limit: limit } : {}),
      }),
    );
    return {
      webhooks: Items.map((item) => storedWebhookSchema.parse(unmarshall(item))).filter(({ id }) => id !== after),
      examined: Items.length,
      reached: LastEvaluatedKey ? String(unmarshall(LastEvaluatedKey).sk) : null,
    };
  };

  return {
    findAny,

    async find(owner, id) {
      const webhook = await findAny(owner, id);
      return webhook?.deleted_at === null ? webhook : null;
    },

    list(owner, limit, after, { profile, customer = null } = {}) {
      return mergedPage({
        ranges: [
          async (from, atMost) => {
            // Reads at least two rows, because the first row may be the last row of the previous page.
            const { webhooks, examined, reached } = await query(owner, from?.id ?? null, Math.max(2, atMost));
            const items = webhooks.filter(
              (webhook) =>
                webhook.deleted_at === null &&
                (profile === undefined || webhook.profile === profile) &&
                mayUse(customer, webhook.customer),
            );
            return { items, examined, reached: reached === null ? null : { at: '', id: reached } };
          },
        ],
        positionOf: ({ id }) => ({ at: '', id }),
        after: after && { at: '', id: after.id },
        limit,
        examineAtMost: MAX_ROWS_READ,
        isFiltered: profile !== undefined || customer !== null,
      });
    },

    async listAny(owner) {
      const allWebhooks: StoredWebhook[] = [];
      for (let after: string | null = null; ; ) {
        const { webhooks, reached } = await query(owner, after);
        allWebhooks.push(...webhooks);
        if (reached === null) return allWebhooks;
        after = reached;
      }
    },

    async hasHistory(id) {
      const shards = Array.from({ length: SHARDS }, (_, shard) => deliveryPk(id, shard));
      const partitions = [healthKey(id).pk, ...shards].map((pk) =>
        client.send(
          new QueryCommand({
            TableName: deliveryTable,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: marshall({ ':pk': pk }),
            ProjectionExpression: 'sk',
            Limit: 1,
            ConsistentRead: true,
          }),
        ),
      );
      return (await Promise.all(partitions)).some(({ Count = 0 }) => Count > 0);
    },

    firstAnswer,

    firstRotation(owner, id, idempotencyKey, nowMs) {
      const request = { scope: owner, path: rotationPath(id), idempotencyKey };
      return readFirstAnswer(client, table, request, (answer) => rotationViewSchema.parse(answer), nowMs);
    },

    async create(webhook, routesAfter, answerToStore, entry, nowMs) {
      const { owner } = webhook;
      const failed = await transact(client, [
        count.change(null, webhook),
        put(webhookRow(webhook, nowMs), 'attribute_not_exists(pk)'),
        ...(answerToStore
          ? [putFirstAnswer(table, { ...answerToStore, scope: owner, path: PATH }, answerToStore, nowMs)]
          : []),
        ...(await routes.moves(owner, null, routesAfter)),
        putAuditEntry(table, entry),
      ]);
      if (failed === -1) return 'created';
      if (failed === 'busy' || failed === 1) return 'busy';
      // A repetition of the request that created the last possible webhook gets its first answer, although the account
      // is full.
      const isRepeat = answerToStore && (await firstAnswer(owner, answerToStore.idempotencyKey, nowMs));
      if (isRepeat) return 'repeated';
      return count.reasonOfRefusal(owner, nowMs);
    },

    async replace({ before, after, isRemoved = false, routesBefore, routesAfter, command, entry, rotation, nowMs }) {
      const { owner } = after;
      const commandRow = command && commandToRow(command, nowMs);
      const isMoved = !isCountedTogether(before.url, after.url);
      const counts = routesAfter
        ? isMoved
          ? [count.change(before, after)]
          : []
        : [count.change(before, null, !isRemoved)];
      const isUnchanged = 'version = :version AND attribute_not_exists(deleted_at)';
      const values = { ':version': before.version };
      const failed = await transact(client, [
        isRemoved ? remove(before, isUnchanged, values) : put(webhookRow(after, nowMs), isUnchanged, values),
        ...counts,
        ...(await routes.moves(owner, routesBefore, routesAfter)),
        ...(commandRow ? [put(commandRow)] : []),
        ...(rotation
          ? [putFirstAnswer(table, { ...rotation, scope: owner, path: rotationPath(after.id) }, rotation, nowMs)]
          : []),
        putAuditEntry(table, entry),
      ]);
      if (failed === 1 && isMoved && routesAfter) throw tooManyWithUrl();
      return failed === -1;
    },
  };
};
