import { type DynamoDBClient, GetItemCommand, QueryCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { mergedPage } from '../../domain/foundation/merged-page.ts';
import type { Page, Position } from '../../domain/foundation/page.ts';
import { SCHEDULE_DAYS } from '../../domain/foundation/retention.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { MOST_WEBHOOKS, type NewWebhookStore } from '../../domain/webhooks/create-webhook.ts';
import type { RotationStore } from '../../domain/webhooks/rotate-secret.ts';
import { type StoredWebhook, storedWebhookSchema } from '../../domain/webhooks/webhook.ts';
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
/** Tombstones are read over; a call looks at so many rows. */
const LOOK_AT_MOST = 2000;

export interface WebhooksTable extends NewWebhookStore, RotationStore {
  /** As it is or, once deleted, as it was. */
  findAny(owner: string, id: string): Promise<StoredWebhook | null>;
  /** Newest first; of one profile, where it is named. */
  list(owner: string, limit: number, after: Position | null, profile?: string): Promise<Page<StoredWebhook>>;
  listAny(owner: string): Promise<readonly StoredWebhook[]>;
}

/** Webhooks with all that stands and falls with them: routes, count, first answers, commands, audit entries. */
export const createWebhooksTable = (client: DynamoDBClient, table: string, retentionDays: number): WebhooksTable => {
  const routes = createRoutingChanges(client, table);

  const put = (row: Readonly<Record<string, unknown>>, condition?: string, values = {}): TransactWriteItem => ({
    Put: {
      TableName: table,
      Item: marshall(rowOf(row), { removeUndefinedValues: true }),
      ...(condition ? { ConditionExpression: condition } : {}),
      ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: marshall(values) } : {}),
    },
  });

  const count = (owner: string, step: 1 | -1): TransactWriteItem => ({
    Update: {
      TableName: table,
      Key: marshall(webhookCountKey(owner)),
      UpdateExpression: 'SET kind = :kind ADD n :step',
      ...(step === 1 ? { ConditionExpression: 'attribute_not_exists(n) OR n < :most' } : {}),
      ExpressionAttributeValues: marshall({
        ':kind': 'webhook-count',
        ':step': step,
        ...(step === 1 ? { ':most': MOST_WEBHOOKS } : {}),
      }),
    },
  });

  const webhookRow = (webhook: StoredWebhook, nowMs: number) => ({
    ...webhook,
    ...webhookKey(webhook.owner, webhook.id),
    kind: 'webhook',
    // As long as any of its deliveries may live, and a day for the clocks.
    ttl: webhook.deleted_at && ttlSeconds(nowMs, retentionDays + SCHEDULE_DAYS + 1),
  });

  const findAny = async (owner: string, id: string): Promise<StoredWebhook | null> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: table, Key: marshall(webhookKey(owner, id)), ConsistentRead: true }),
    );
    return Item ? storedWebhookSchema.parse(unmarshall(Item)) : null;
  };

  const firstAnswer = (owner: string, idempotencyKey: string, nowMs: number) => {
    const of = { scope: owner, path: PATH, idempotencyKey };
    return readFirstAnswer(client, table, of, (answer) => webhookViewSchema.parse(answer), nowMs);
  };

  /** Webhook rows from a position on, newest first; `limit` counts tombstones, too. */
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
            // Two at least: the row at the position itself may be one of them.
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
        examineAtMost: LOOK_AT_MOST,
        isFiltered: profile !== undefined,
      });
    },

    async listAny(owner) {
      const all: StoredWebhook[] = [];
      for (let after: string | null = null; ; ) {
        const { webhooks, reached } = await query(owner, after);
        all.push(...webhooks);
        if (reached === null) return all;
        after = reached;
      }
    },

    firstAnswer,

    firstRotation(owner, id, idempotencyKey, nowMs) {
      const of = { scope: owner, path: rotationPath(id), idempotencyKey };
      return readFirstAnswer(client, table, of, (answer) => rotationViewSchema.parse(answer), nowMs);
    },

    async create(webhook, { types, member }, left, entry, nowMs) {
      const { owner } = webhook;
      const failed = await transact(client, [
        count(owner, 1),
        put(webhookRow(webhook, nowMs), 'attribute_not_exists(pk)'),
        ...(left ? [putFirstAnswer(table, { ...left, scope: owner, path: PATH }, left, nowMs)] : []),
        ...(await routes.moves(owner, null, { types, member })),
        putAuditEntry(table, entry),
      ]);
      if (failed === -1) return 'created';
      if (failed === 'busy' || failed === 1) return 'busy';
      // Whoever repeats the request that made the last webhook gets that answer again, full or not.
      const isRepeat = left && (await firstAnswer(owner, left.idempotencyKey, nowMs));
      return isRepeat ? 'repeated' : 'full';
    },

    async replace({ before, after, routesBefore, routesAfter, command, entry, rotation, nowMs }) {
      const { owner } = after;
      const commandRow = command && commandToRow(command, nowMs);
      const failed = await transact(client, [
        put(webhookRow(after, nowMs), 'version = :version AND attribute_not_exists(deleted_at)', {
          ':version': before.version,
        }),
        ...(await routes.moves(owner, routesBefore, routesAfter)),
        ...(routesAfter ? [] : [count(owner, -1)]),
        ...(commandRow ? [put(commandRow)] : []),
        ...(rotation
          ? [putFirstAnswer(table, { ...rotation, scope: owner, path: rotationPath(after.id) }, rotation, nowMs)]
          : []),
        putAuditEntry(table, entry),
      ]);
      return failed === -1;
    },
  };
};
