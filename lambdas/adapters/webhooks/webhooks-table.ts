import { type DynamoDBClient, GetItemCommand, QueryCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { mergedPage } from '../../domain/foundation/merged-page.ts';
import type { Page, Position } from '../../domain/foundation/page.ts';
import { SCHEDULE_DAYS } from '../../domain/foundation/retention.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import {
  MOST_WEBHOOKS,
  MOST_WITH_URL,
  type NewWebhookStore,
  tooManyWithUrl,
} from '../../domain/webhooks/create-webhook.ts';
import type { RotationStore } from '../../domain/webhooks/rotate-secret.ts';
import { type StoredWebhook, storedWebhookSchema } from '../../domain/webhooks/webhook.ts';
import { urlDigest } from '../../domain/webhooks/webhook-url.ts';
import { rotationViewSchema, webhookViewSchema } from '../../domain/webhooks/webhook-view.ts';
import { putFirstAnswer, readFirstAnswer } from '../aws/first-answers.ts';
import { transact } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { commandToRow } from '../rows/command-row.ts';
import { rowOf } from '../rows/row.ts';
import { webhookCountKey, webhookKey } from '../rows/table-keys.ts';
import { createRoutingChanges } from './event-routing.ts';

const PATH = '/webhooks';
const rotationPath = (id: string): string => `${PATH}/${id}/rotate-secret`;
/**
 * The maximum number of rows that one list call reads, including deleted webhooks. The next page continues after
 * them.
 */
const MAX_ROWS_READ = 2000;

/** Returns the attribute of the row of an owner's webhook count that has the ids of the webhooks with this URL. */
const urlAttribute = (url: string): string => `u_${urlDigest(url)}`;

export interface WebhooksTable extends NewWebhookStore, RotationStore {
  /** Finds a webhook even if it is deleted. */
  findAny(owner: string, id: string): Promise<StoredWebhook | null>;
  /** Lists an owner's webhooks that are not deleted, newest first: the webhooks of one profile, or all. */
  list(owner: string, limit: number, after: Position | null, profile?: string): Promise<Page<StoredWebhook>>;
  /** Lists all webhooks of an owner, including deleted webhooks, newest first. */
  listAny(owner: string): Promise<readonly StoredWebhook[]>;
}

/**
 * Stores webhooks in the domain table. Each change is one transaction with routes, count, first answer, command and
 * audit entry.
 */
export const createWebhooksTable = (client: DynamoDBClient, table: string, retentionDays: number): WebhooksTable => {
  const routes = createRoutingChanges(client, table);

  /** Builds the item of a transaction that puts a row, with a condition if one is given. */
  const put = (row: Readonly<Record<string, unknown>>, condition?: string, values = {}): TransactWriteItem => ({
    Put: {
      TableName: table,
      Item: marshall(rowOf(row), { removeUndefinedValues: true }),
      ...(condition ? { ConditionExpression: condition } : {}),
      ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: marshall(values) } : {}),
    },
  });

  /**
   * Returns the transaction item that counts a change from the webhook `before` to `after`; null = there is no webhook.
   * The row has the number of the owner's webhooks, and for each URL a set with the ids of its webhooks. The item fails
   * if the owner has the most webhooks, or the most with the new URL, that it may have.
   */
  const count = (before: StoredWebhook | null, after: StoredWebhook | null): TransactWriteItem => {
    const { owner = '', id = '' } = after ?? before ?? {};
    const step = (after ? 1 : 0) - (before ? 1 : 0);
    const conditions = [
      ...(step === 1 ? ['(attribute_not_exists(n) OR n < :most)'] : []),
      ...(after ? ['(attribute_not_exists(#new) OR size(#new) < :mostWithUrl)'] : []),
    ];
    return {
      Update: {
        TableName: table,
        Key: marshall(webhookCountKey(owner)),
        UpdateExpression: `SET kind = :kind ADD n :step${after ? ', #new :ids' : ''}${before ? ' DELETE #old :ids' : ''}`,
        ...(conditions.length > 0 ? { ConditionExpression: conditions.join(' AND ') } : {}),
        ExpressionAttributeNames: {
          ...(after ? { '#new': urlAttribute(after.url) } : {}),
          ...(before ? { '#old': urlAttribute(before.url) } : {}),
        },
        ExpressionAttributeValues: marshall({
          ':kind': 'webhook-count',
          ':step': step,
          ':ids': new Set([id]),
          ...(step === 1 ? { ':most': MOST_WEBHOOKS } : {}),
          ...(after ? { ':mostWithUrl': MOST_WITH_URL } : {}),
        }),
      },
    };
  };

  /** Returns whether the owner has fewer webhooks than it may have. */
  const hasRoom = async (owner: string): Promise<boolean> => {
    const Key = marshall(webhookCountKey(owner));
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
    return !Item || Number(unmarshall(Item).n) < MOST_WEBHOOKS;
  };

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

    list(owner, limit, after, profile) {
      return mergedPage({
        ranges: [
          async (from, atMost) => {
            // Reads at least two rows, because the first row may be the last row of the previous page.
            const { webhooks, examined, reached } = await query(owner, from?.id ?? null, Math.max(2, atMost));
            const items = webhooks.filter(
              (webhook) => webhook.deleted_at === null && (profile === undefined || webhook.profile === profile),
            );
            return { items, examined, reached: reached === null ? null : { at: '', id: reached } };
          },
        ],
        positionOf: ({ id }) => ({ at: '', id }),
        after: after && { at: '', id: after.id },
        limit,
        examineAtMost: MAX_ROWS_READ,
        isFiltered: profile !== undefined,
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

    firstAnswer,

    firstRotation(owner, id, idempotencyKey, nowMs) {
      const request = { scope: owner, path: rotationPath(id), idempotencyKey };
      return readFirstAnswer(client, table, request, (answer) => rotationViewSchema.parse(answer), nowMs);
    },

    async create(webhook, { types, member }, answerToStore, entry, nowMs) {
      const { owner } = webhook;
      const failed = await transact(client, [
        count(null, webhook),
        put(webhookRow(webhook, nowMs), 'attribute_not_exists(pk)'),
        ...(answerToStore
          ? [putFirstAnswer(table, { ...answerToStore, scope: owner, path: PATH }, answerToStore, nowMs)]
          : []),
        ...(await routes.moves(owner, null, { types, member })),
        putAuditEntry(table, entry),
      ]);
      if (failed === -1) return 'created';
      if (failed === 'busy' || failed === 1) return 'busy';
      // A repetition of the request that created the last possible webhook gets its first answer, although the account
      // is full.
      const isRepeat = answerToStore && (await firstAnswer(owner, answerToStore.idempotencyKey, nowMs));
      if (isRepeat) return 'repeated';
      return (await hasRoom(owner)) ? 'full_url' : 'full';
    },

    async replace({ before, after, routesBefore, routesAfter, command, entry, rotation, nowMs }) {
      const { owner } = after;
      const commandRow = command && commandToRow(command, nowMs);
      const isMoved = urlAttribute(before.url) !== urlAttribute(after.url);
      const counts = routesAfter ? (isMoved ? [count(before, after)] : []) : [count(before, null)];
      const failed = await transact(client, [
        put(webhookRow(after, nowMs), 'version = :version AND attribute_not_exists(deleted_at)', {
          ':version': before.version,
        }),
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
