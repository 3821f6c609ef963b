import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import {
  type ChangingEventTypes,
  isEventTypeName,
  type StoredEventType,
  storedEventTypeSchema,
} from '../../domain/events/event-type.ts';
import { PassPostError } from '../../domain/foundation/errors.ts';
import { batchGet } from '../aws/batch-get.ts';
import { changeTogether } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { rowOf } from '../rows/row.ts';
import { eventTypeKey } from '../rows/table-keys.ts';

export interface EventTypesTable extends ChangingEventTypes {
  /** Returns those own event types of the owner that have one of the names, by name. */
  find(owner: string, names: readonly string[]): Promise<ReadonlyMap<string, StoredEventType>>;
  /**
   * Lists an owner's own event types in the order of their names, beginning after the name `after`. Returns at most
   * `limit` types, and fewer if their schemas are long. `hasMore` says whether more types follow.
   */
  list(
    owner: string,
    limit: number,
    after: string | null,
  ): Promise<{ readonly types: readonly StoredEventType[]; readonly hasMore: boolean }>;
}

const MAX_TRIES = 3;

/** Stores the own event types of accounts in the domain table. */
export const createEventTypesTable = (client: DynamoDBClient, table: string): EventTypesTable => ({
  async put(type, entry) {
    const Item = marshall(rowOf({ ...type, ...eventTypeKey(type.owner, type.name), kind: 'event-type' }));
    const putWhere = (ConditionExpression: string) =>
      changeTogether(client, [{ Put: { TableName: table, Item, ConditionExpression } }, putAuditEntry(table, entry)]);
    // Puts the type under two opposite conditions, one after the other, because a transaction does not return the
    // previous row: the put that succeeds shows whether the type existed. If both fail, the loop tries again.
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (await putWhere('attribute_not_exists(pk)')) return true;
      if (await putWhere('attribute_exists(pk)')) return false;
    }
    throw new PassPostError('conflict', 'Other requests are changing the event type. Please try again.');
  },

  async remove(owner, name, entry) {
    // Returns early for a malformed name, because DynamoDB limits the length of a key.
    if (!isEventTypeName(name)) return false;
    const Key = marshall(eventTypeKey(owner, name));
    const Delete = { TableName: table, Key, ConditionExpression: 'attribute_exists(pk)' };
    return changeTogether(client, [{ Delete }, putAuditEntry(table, entry)]);
  },

  async find(owner, names) {
    const keyed = [...new Set(names)].map((name) => ({ table, key: eventTypeKey(owner, name), isConsistent: true }));
    const rows = await batchGet(client, keyed);
    const types = keyed.flatMap(({ key }) => storedEventTypeSchema.safeParse(rows(table, key)).data ?? []);
    return new Map(types.map((type) => [type.name, type]));
  },

  async list(owner, limit, after) {
    const { pk, sk } = eventTypeKey(owner, after ?? '');
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        // Reads only one page: one query reads at most a megabyte, as much as a response may hold.
        ExpressionAttributeValues: marshall({ ':pk': pk, ':from': sk, ':to': eventTypeKey(owner, '~').sk }),
        ConsistentRead: true,
        // Reads one row more than the limit, because one row may be the type `after` itself.
        Limit: limit + 1,
      }),
    );
    const types = Items.map((item) => storedEventTypeSchema.parse(unmarshall(item))).filter(
      ({ name }) => name !== after,
    );
    return { types: types.slice(0, limit), hasMore: types.length > limit || LastEvaluatedKey !== undefined };
  },
});
