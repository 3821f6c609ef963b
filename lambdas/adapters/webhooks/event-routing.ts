import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { StoredEvent } from '../../domain/events/event.ts';
import type { Subscriber } from '../../domain/fan-out/fan-out.ts';
import { parseRouteMember, type WebhookRoutes } from '../../domain/webhooks/event-routing.ts';
import { EVERYTHING } from '../../domain/webhooks/webhook.ts';
import { batchGet } from '../aws/batch-get.ts';
import { routingKey } from '../rows/table-keys.ts';

// A routing row holds the subscribers of one event type: a set of `webhook|resource`, and a version that every change
// raises. The row exists while the set has members. A row that is deleted and created again may have an earlier version
// again; that misleads no change of a webhook, because each checks the version of the webhook's own row too.

const membersOf = (row: Record<string, unknown> | null): Set<string> =>
  new Set(row?.webhooks as Set<string> | undefined);

export interface Subscribers {
  /** Returns the webhooks that subscribe to each event's type, in the order of the events. */
  subscribers(events: readonly Pick<StoredEvent, 'owner' | 'type'>[]): Promise<Subscriber[][]>;
}

/**
 * Reads the subscribers of events, all in one consistent call. An operational event goes only to webhooks that name its
 * type.
 */
export const createSubscribers = (
  client: DynamoDBClient,
  domainTable: string,
  isOperational: (type: string) => boolean,
): Subscribers => ({
  async subscribers(events) {
    const keysOf = ({ owner, type }: Pick<StoredEvent, 'owner' | 'type'>) => [
      routingKey(owner, type),
      ...(isOperational(type) ? [] : [routingKey(owner, EVERYTHING)]),
    ];
    const find = await batchGet(
      client,
      events.flatMap(keysOf).map((key) => ({ table: domainTable, key, isConsistent: true })),
    );
    return events.map((event) =>
      keysOf(event).flatMap((key) => [...membersOf(find(domainTable, key))].map(parseRouteMember)),
    );
  },
});

/**
 * Returns every webhook in the routing row of one event type of an owner, with its resource (`null` = every resource).
 * Does not read the row of `*`.
 */
export const subscribersOfType = async (
  client: DynamoDBClient,
  table: string,
  owner: string,
  type: string,
): Promise<Subscriber[]> => {
  const key = routingKey(owner, type);
  const find = await batchGet(client, [{ table, key, isConsistent: true }]);
  return [...membersOf(find(table, key))].map(parseRouteMember);
};

export interface RoutingChanges {
  /**
   * Returns the transaction items that move a webhook from its routes before a change to its routes after the change.
   * `before` is null for a new webhook, `after` is null for a deleted webhook.
   */
  moves(owner: string, before: WebhookRoutes | null, after: WebhookRoutes | null): Promise<TransactWriteItem[]>;
}

/** Creates the transaction items that change routing rows. */
export const createRoutingChanges = (client: DynamoDBClient, table: string): RoutingChanges => {
  const addMember = (owner: string, type: string, member: string): TransactWriteItem => ({
    Update: {
      TableName: table,
      Key: marshall(routingKey(owner, type)),
      UpdateExpression: 'SET kind = :kind ADD webhooks :member, v :one',
      ExpressionAttributeValues: marshall({ ':kind': 'routing', ':member': new Set([member]), ':one': 1 }),
    },
  });

  /**
   * Returns the transaction items that remove a webhook's member from routing rows, and delete rows that have no other
   * member.
   */
  const removeMember = async (owner: string, types: readonly string[], member: string) => {
    const keyed = types.map((type) => ({ table, key: routingKey(owner, type), isConsistent: true }));
    const find = await batchGet(client, keyed);
    return keyed.map(({ key }): TransactWriteItem => {
      const row = find(table, key);
      const isLast = membersOf(row).size === 1;
      if (row && isLast) {
        return {
          Delete: {
            TableName: table,
            Key: marshall(key),
            ConditionExpression: 'v = :version',
            ExpressionAttributeValues: marshall({ ':version': row.v }),
          },
        };
      }
      return {
        Update: {
          TableName: table,
          Key: marshall(key),
          UpdateExpression: 'SET kind = :kind ADD v :one DELETE webhooks :member',
          ConditionExpression: 'size(webhooks) > :one',
          ExpressionAttributeValues: marshall({ ':kind': 'routing', ':member': new Set([member]), ':one': 1 }),
        },
      };
    });
  };

  /**
   * Returns the transaction items that replace a webhook's member of routing rows. One update can add to a set or
   * delete from it, not both, so the whole set is written, if the row still has the version that was read.
   */
  const replaceMember = async (owner: string, types: readonly string[], before: string, after: string) => {
    const keyed = types.map((type) => ({ table, key: routingKey(owner, type), isConsistent: true }));
    const find = await batchGet(client, keyed);
    return keyed.map(({ key }): TransactWriteItem => {
      const row = find(table, key);
      const webhooks = membersOf(row);
      webhooks.delete(before);
      webhooks.add(after);
      const version = typeof row?.v === 'number' ? { ':version': row.v } : {};
      return {
        Update: {
          TableName: table,
          Key: marshall(key),
          UpdateExpression: 'SET kind = :kind, webhooks = :webhooks ADD v :one',
          ConditionExpression: ':version' in version ? 'v = :version' : 'attribute_not_exists(v)',
          ExpressionAttributeValues: marshall({ ':kind': 'routing', ':webhooks': webhooks, ':one': 1, ...version }),
        },
      };
    });
  };

  return {
    async moves(owner, before, after) {
      const typesBefore = new Set(before?.types);
      const typesAfter = new Set(after?.types);
      const isSameMember = before?.member === after?.member;
      const removedTypes = before ? [...typesBefore].filter((type) => !typesAfter.has(type)) : [];
      const addedTypes = after ? [...typesAfter].filter((type) => !typesBefore.has(type)) : [];
      const sharedTypes =
        before && after && !isSameMember ? [...typesBefore].filter((type) => typesAfter.has(type)) : [];
      return [
        ...(removedTypes.length > 0 ? await removeMember(owner, removedTypes, before?.member ?? '') : []),
        ...addedTypes.map((type) => addMember(owner, type, after?.member ?? '')),
        ...(sharedTypes.length > 0
          ? await replaceMember(owner, sharedTypes, before?.member ?? '', after?.member ?? '')
          : []),
      ];
    },
  };
};
