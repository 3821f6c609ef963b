import {
  type DynamoDBClient,
  GetItemCommand,
  paginateQuery,
  type TransactWriteItem,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { MINUTE_MS, toSeconds } from '../../domain/foundation/time.ts';
import { MOST_WEBHOOKS, MOST_WITH_DELETED, MOST_WITH_URL } from '../../domain/webhooks/create-webhook.ts';
import type { StoredWebhook } from '../../domain/webhooks/webhook.ts';
import { urlDigest } from '../../domain/webhooks/webhook-url.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { webhookCountKey, webhookKey } from '../rows/table-keys.ts';

/** Returns the attribute of the row of an owner's webhook count that has the ids of the webhooks with this URL. */
const urlAttribute = (url: string): string => `u_${urlDigest(url)}`;

/** Returns whether two URLs are counted together. */
export const isCountedTogether = (one: string, other: string): boolean => urlAttribute(one) === urlAttribute(other);

/** The reason why an owner cannot have one more webhook. `recounted` = the count was too high and is right now. */
export type Fullness = 'full' | 'full_deleted' | 'full_url' | 'recounted';

export interface WebhookCount {
  /**
   * Returns the transaction item that counts a change from the webhook `before` to `after`; null = there is no webhook.
   * The item fails if the owner has the most webhooks, or the most with the new URL, that it may have. With
   * `isTombstone`, the row of the deleted webhook stays and still counts as a row.
   */
  change(before: StoredWebhook | null, after: StoredWebhook | null, isTombstone?: boolean): TransactWriteItem;
  /** Returns why the owner cannot have one more webhook, after the item of a new webhook has failed. */
  reasonOfRefusal(owner: string, nowMs: number): Promise<Fullness>;
}

/**
 * Counts an owner's webhooks in one row. `n` = webhooks that are not deleted; `rows` = webhooks and tombstones, or more,
 * because DynamoDB deletes expired tombstones without a word; for each URL a set with the ids of its webhooks.
 */
export const createWebhookCount = (client: DynamoDBClient, table: string): WebhookCount => {
  /** Returns the number of rows of an owner's webhooks, without expired tombstones. */
  const countRows = async (owner: string, nowMs: number): Promise<number> => {
    let rows = 0;
    const query = {
      TableName: table,
      KeyConditionExpression: 'pk = :pk',
      FilterExpression: 'attribute_not_exists(#ttl) OR #ttl > :now',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: marshall({ ':pk': webhookKey(owner, '').pk, ':now': toSeconds(nowMs) }),
      Select: 'COUNT' as const,
      ConsistentRead: true,
    };
    for await (const { Count = 0 } of paginateQuery({ client }, query)) rows += Count;
    return rows;
  };

  /** Replaces the number of rows by the right one. Returns false if the number changed since it was read. */
  const correct = async (owner: string, counted: number, right: number, nowMs: number): Promise<boolean> => {
    const update = new UpdateItemCommand({
      TableName: table,
      Key: marshall(webhookCountKey(owner)),
      UpdateExpression: 'SET #rows = :right, counted_at = :now',
      ConditionExpression: '#rows = :counted',
      ExpressionAttributeNames: { '#rows': 'rows' },
      ExpressionAttributeValues: marshall({ ':right': right, ':counted': counted, ':now': nowMs }),
    });
    return (await nullIfRefused(client.send(update))) !== null;
  };

  return {
    change(before, after, isTombstone = false) {
      const { owner = '', id = '' } = after ?? before ?? {};
      const step = (after ? 1 : 0) - (before ? 1 : 0);
      const conditions = [
        ...(step === 1 ? ['(attribute_not_exists(n) OR n < :most)'] : []),
        ...(step === 1 ? ['(attribute_not_exists(#rows) OR #rows < :mostRows)'] : []),
        ...(after ? ['(attribute_not_exists(#new) OR size(#new) < :mostWithUrl)'] : []),
      ];
      const sums = ['n :step', '#rows :rowStep', ...(after ? ['#new :ids'] : [])];
      return {
        Update: {
          TableName: table,
          Key: marshall(webhookCountKey(owner)),
          UpdateExpression: `SET kind = :kind ADD ${sums.join(', ')}${before ? ' DELETE #old :ids' : ''}`,
          ...(conditions.length > 0 ? { ConditionExpression: conditions.join(' AND ') } : {}),
          ExpressionAttributeNames: {
            '#rows': 'rows',
            ...(after ? { '#new': urlAttribute(after.url) } : {}),
            ...(before ? { '#old': urlAttribute(before.url) } : {}),
          },
          ExpressionAttributeValues: marshall({
            ':kind': 'webhook-count',
            ':step': step,
            ':rowStep': isTombstone ? 0 : step,
            ':ids': new Set([id]),
            ...(step === 1 ? { ':most': MOST_WEBHOOKS, ':mostRows': MOST_WITH_DELETED } : {}),
            ...(after ? { ':mostWithUrl': MOST_WITH_URL } : {}),
          }),
        },
      };
    },

    async reasonOfRefusal(owner, nowMs) {
      const Key = marshall(webhookCountKey(owner));
      const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      const { n = 0, rows = 0, counted_at = 0 } = Item ? unmarshall(Item) : {};
      if (n >= MOST_WEBHOOKS) return 'full';
      if (rows < MOST_WITH_DELETED) return 'full_url';
      // Counts the rows at most once a minute, because a count reads up to 2,000 rows.
      if (nowMs - counted_at < MINUTE_MS) return 'full_deleted';
      const right = await countRows(owner, nowMs);
      const isCorrected = await correct(owner, rows, right, nowMs);
      return isCorrected && right < MOST_WITH_DELETED ? 'recounted' : 'full_deleted';
    },
  };
};
