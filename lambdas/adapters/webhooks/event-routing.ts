import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { WebhookRoutes } from '../../domain/webhooks/event-routing.ts';
import { batchGet } from '../aws/batch-get.ts';
import { routingKey } from '../rows/table-keys.ts';

export interface WebhookRoutesRows {
  /** What a transaction must hold so that the webhook stands where it now belongs and nowhere else. */
  moves(owner: string, before: WebhookRoutes | null, after: WebhookRoutes | null): Promise<TransactWriteItem[]>;
}

/** The rows that say who wants a type: one set of `webhook|resource` each, and a version that every change raises. */
export const createWebhookRoutesRows = (client: DynamoDBClient, table: string): WebhookRoutesRows => {
  const one = (owner: string, type: string, verb: 'ADD' | 'DELETE', member: string): TransactWriteItem => ({
    Update: {
      TableName: table,
      Key: marshall(routingKey(owner, type)),
      UpdateExpression:
        verb === 'ADD'
          ? 'SET kind = :kind ADD webhooks :member, v :one'
          : 'SET kind = :kind ADD v :one DELETE webhooks :member',
      ExpressionAttributeValues: marshall({ ':kind': 'routing', ':member': new Set([member]), ':one': 1 }),
    },
  });

  /** An update can add to a set or take out of it, not both: where one member becomes another, the whole set is replaced as it was read. */
  const swap = async (owner: string, types: readonly string[], before: string, after: string) => {
    const keyed = types.map((type) => ({ table, key: routingKey(owner, type), isConsistent: true }));
    const find = await batchGet(client, keyed);
    return keyed.map(({ key }): TransactWriteItem => {
      const row = find(table, key);
      const webhooks = new Set(row?.webhooks as Set<string> | undefined);
      webhooks.delete(before);
      webhooks.add(after);
      const known = typeof row?.v === 'number' ? { ':known': row.v } : {};
      return {
        Update: {
          TableName: table,
          Key: marshall(key),
          UpdateExpression: 'SET kind = :kind, webhooks = :webhooks ADD v :one',
          ConditionExpression: ':known' in known ? 'v = :known' : 'attribute_not_exists(v)',
          ExpressionAttributeValues: marshall({ ':kind': 'routing', ':webhooks': webhooks, ':one': 1, ...known }),
        },
      };
    });
  };

  return {
    async moves(owner, before, after) {
      const old = new Set(before?.types);
      const next = new Set(after?.types);
      const isSameMember = before?.member === after?.member;
      const leaves = before ? [...old].filter((type) => !next.has(type)) : [];
      const enters = after ? [...next].filter((type) => !old.has(type)) : [];
      const stays = before && after && !isSameMember ? [...old].filter((type) => next.has(type)) : [];
      return [
        ...leaves.map((type) => one(owner, type, 'DELETE', before?.member ?? '')),
        ...enters.map((type) => one(owner, type, 'ADD', after?.member ?? '')),
        ...(stays.length > 0 ? await swap(owner, stays, before?.member ?? '', after?.member ?? '') : []),
      ];
    },
  };
};
