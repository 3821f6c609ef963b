import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { StoredEvent } from '../../domain/events/event.ts';
import type { Subscriber } from '../../domain/fan-out/fan-out.ts';
import { parseRouteMember, type WebhookRoutes } from '../../domain/webhooks/event-routing.ts';
import { EVERYTHING } from '../../domain/webhooks/webhook.ts';
import { batchGet } from '../aws/batch-get.ts';
import { type Key, routingKey } from '../rows/table-keys.ts';

// A routing row holds the subscribers of one event type: a set of `webhook|resource`, and a version that every change
// raises. The row exists while the set has members. A row that is deleted and created again may have an earlier version
// again; that misleads no change of a webhook, because each checks the version of the webhook's own row too.

const membersOf = (row: Record<string, unknown> | null): Set<string> =>
  new Set(row?.webhooks as Set<string> | undefined);

type RoutedEvent = Pick<StoredEvent, 'owner' | 'customer' | 'type'>;

export interface Subscribers {
  /**
   * Returns the webhooks that subscribe to each event's type, in the order of the events: webhooks of the account itself,
   * and of the customer to whom the event belongs.
   */
  subscribers(events: readonly RoutedEvent[]): Promise<Subscriber[][]>;
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
    const keysOf = ({ owner, customer, type }: RoutedEvent) =>
      [...new Set([null, customer])].flatMap((each) =>
        [type, ...(isOperational(type) ? [] : [EVERYTHING])].map((name) => ({
          customer: each,
          key: routingKey(owner, name, each),
        })),
      );
    const find = await batchGet(
      client,
      events.flatMap(keysOf).map(({ key }) => ({ table: domainTable, key, isConsistent: true })),
    );
    return events.map((event) =>
      keysOf(event).flatMap(({ customer, key }) =>
        [...membersOf(find(domainTable, key))].map((member) => ({ ...parseRouteMember(member), customer })),
      ),
    );
  },
});

/**
 * Returns every webhook of the account itself in the routing row of one event type of an owner, with its resource (`null` =
 * every resource). Does not read the row of `*`.
 */
export const subscribersOfType = async (
  client: DynamoDBClient,
  table: string,
  owner: string,
  type: string,
): Promise<Subscriber[]> => {
  const key = routingKey(owner, type, null);
  const find = await batchGet(client, [{ table, key, isConsistent: true }]);
  return [...membersOf(find(table, key))].map((member) => ({ ...parseRouteMember(member), customer: null }));
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
  const addMember = (key: Key, member: string): TransactWriteItem => ({
    Update: {
      TableName: table,
      Key: marshall(key),
      UpdateExpression: 'SET kind = :kind ADD webhooks :member, v :one',
      ExpressionAttributeValues: marshall({ ':kind': 'routing', ':member': new Set([member]), ':one': 1 }),
    },
  });

  /**
   * Returns the transaction items that remove a webhook's entry from routing rows, and delete the rows that have no other
   * entry.
   */
  const removeMember = async (keys: readonly Key[], member: string) => {
    const keyed = keys.map((key) => ({ table, key, isConsistent: true }));
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
  const replaceMember = async (keys: readonly Key[], before: string, after: string) => {
    const keyed = keys.map((key) => ({ table, key, isConsistent: true }));
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
      // The customer of a webhook never changes.
      const keysOf = (types: readonly string[]) =>
        types.map((type) => routingKey(owner, type, (before ?? after)?.customer ?? null));
      const typesBefore = new Set(before?.types);
      const typesAfter = new Set(after?.types);
      const isSameMember = before?.member === after?.member;
      const removedTypes = before ? [...typesBefore].filter((type) => !typesAfter.has(type)) : [];
      const addedTypes = after ? [...typesAfter].filter((type) => !typesBefore.has(type)) : [];
      const sharedTypes =
        before && after && !isSameMember ? [...typesBefore].filter((type) => typesAfter.has(type)) : [];
      return [
        ...(removedTypes.length > 0 ? await removeMember(keysOf(removedTypes), before?.member ?? '') : []),
        ...keysOf(addedTypes).map((key) => addMember(key, after?.member ?? '')),
        ...(sharedTypes.length > 0
          ? await replaceMember(keysOf(sharedTypes), before?.member ?? '', after?.member ?? '')
          : []),
      ];
    },
  };
};
