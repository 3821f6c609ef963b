import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { erasePayloadCommand } from '../../domain/deliveries/command.ts';
import { type StoredEvent, storedEventSchema } from '../../domain/events/event.ts';
import type { EventStore } from '../../domain/events/publish-events.ts';
import { idBound, isTimeless, timeOfId } from '../../domain/foundation/id.ts';
import { mergedPage, type RangePage, type ReadRange } from '../../domain/foundation/merged-page.ts';
import type { Page, Position } from '../../domain/foundation/page.ts';
import { SECOND_MS, toSeconds, ttlSeconds } from '../../domain/foundation/time.ts';
import type { EventArchive, EventFilter } from '../../domain/history/event-view.ts';
import { batchGet } from '../aws/batch-get.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { executeStatements, insertStatement } from '../aws/statements.ts';
import { changeTogether } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { putCommand } from '../rows/command-row.ts';
import { eventToRow } from '../rows/event-row.ts';
import { isExpired, rowOf } from '../rows/row.ts';
import { eventKey, eventListPk, idempotencyKey as idempotencyRowKey, indexes, SHARDS } from '../rows/table-keys.ts';

export type EventsTable = EventStore & EventArchive;

/** Days for which an Idempotency-Key of a publish call is stored: twice the one day that the API promises. */
const KEY_LIFE_DAYS = 2;
/** The maximum number of rows that one list call reads, whether they match the filter or not. */
const MAX_ROWS_READ = 1000;
/**
 * The maximum number of bytes of `data` and `meta` on one page of events. The response of a function holds at most 6
 * MB, in which each quotation mark of the body takes two bytes.
 */
const MAX_PAGE_BYTES = 2_500_000;

/** An event of a list. The index holds only the position of an event, so the event's row may have to be read. */
interface ListedEvent {
  readonly position: Position;
  /** The event's row if the list was read from the table; null if the list was read from the index. */
  readonly row: Record<string, unknown> | null;
}

const positionOfId = (id: string): Position => ({ at: new Date(timeOfId(id)).toISOString(), id });

const positionOfListSk = (text: string): Position => {
  const [at = '', id = ''] = text.split('#');
  return { at, id };
};

/** Returns the part of a query that leaves out events which the filter does not select. */
const filterExpression = ({ type, resource, customer }: EventFilter) => {
  const wanted = Object.entries({ type, resource, customer }).filter(([, value]) => value);
  return {
    values: Object.fromEntries(wanted.map(([name, value]) => [`:${name}`, value])),
    input:
      wanted.length === 0
        ? {}
        : {
            FilterExpression: wanted.map(([name]) => `#${name} = :${name}`).join(' AND '),
            ExpressionAttributeNames: Object.fromEntries(wanted.map(([name]) => [`#${name}`, name])),
          },
  };
};

/**
 * Stores events in the domain table. Lists events with a time in their id from the table, and events with a derived id
 * from the index.
 */
export const createEventsTable = (client: DynamoDBClient, table: string, retentionDays: number): EventsTable => {
  const eventRow = (event: StoredEvent) => ({
    ...eventToRow(event, retentionDays),
    ...(isTimeless(event.id)
      ? { list_pk: eventKey(event.owner, event.id).pk, list_sk: `${event.created_at}#${event.id}` }
      : {}),
  });

  const query = async (
    run: { pk: string; index: boolean; from: string; to: string },
    filter: EventFilter,
    atMost: number,
  ) => {
    // Returns no rows for an empty range, because DynamoDB rejects BETWEEN with a lower bound above the upper bound.
    if (run.from > run.to) return { rows: [], examined: 0, reached: null };
    const { values, input } = filterExpression(filter);
    const [pk, sk] = run.index ? ['list_pk', 'list_sk'] : ['pk', 'sk'];
    const {
      Items = [],
      ScannedCount = 0,
      LastEvaluatedKey,
    } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: `${pk} = :pk AND ${sk} BETWEEN :from AND :to`,
        ExpressionAttributeValues: marshall({ ':pk': run.pk, ':from': run.from, ':to': run.to, ...values }),
        ScanIndexForward: false,
        // Reads at least two rows, because the first row may be the last row of the previous page.
        Limit: Math.max(2, atMost),
        ...(run.index ? { IndexName: indexes.list } : { ConsistentRead: true }),
        ...input,
      }),
    );
    const reached = LastEvaluatedKey ? String(unmarshall(LastEvaluatedKey)[sk as string]) : null;
    return { rows: Items.map((item) => unmarshall(item)), examined: ScannedCount, reached };
  };

  const timedRun =
    (pk: string, filter: EventFilter, nowMs: number): ReadRange<ListedEvent> =>
    async (after, atMost): Promise<RangePage<ListedEvent>> => {
      const until = filter.until === undefined ? 'evt_8' : idBound('evt', filter.until);
      // If the previous page ended with a derived id (an id without a time), continues the list with the ids that
      // contain the same millisecond, because a list shows the derived ids of a millisecond first.
      const before = after && (isTimeless(after.id) ? idBound('evt', Date.parse(after.at) + 1) : after.id);
      const to = before && before < until ? before : until;
      const from = idBound('evt', filter.since ?? 0);
      const { rows, examined, reached } = await query({ pk, index: false, from, to }, filter, atMost);
      return {
        items: rows
          .filter((row) => row.sk !== after?.id && !isExpired(row, nowMs))
          .map((row) => ({ position: positionOfId(row.sk), row })),
        examined,
        reached: reached === null ? null : positionOfId(reached),
      };
    };

  const derivedRun =
    (pk: string, filter: EventFilter): ReadRange<ListedEvent> =>
    async (after, atMost): Promise<RangePage<ListedEvent>> => {
      const until = filter.until === undefined ? '~' : new Date(filter.until).toISOString();
      const before = after && `${after.at}#${after.id}`;
      const to = before && before < until ? before : until;
      const from = new Date(filter.since ?? 0).toISOString();
      const { rows, examined, reached } = await query({ pk, index: true, from, to }, filter, atMost);
      return {
        items: rows
          .filter((row) => row.list_sk !== before)
          .map((row) => ({ position: positionOfListSk(row.list_sk), row: null })),
        examined,
        reached: reached === null ? null : positionOfListSk(reached),
      };
    };

  const find = async (owner: string, ids: readonly string[]) => {
    const rows = await batchGet(
      client,
      ids.map((id) => ({ table, key: eventKey(owner, id), isConsistent: true })),
    );
    return (id: string) => rows(table, eventKey(owner, id));
  };

  /**
   * Returns the events of a page, and reads the rows that are missing. The page ends early if a response could not hold
   * the next event.
   */
  const pageOfRows = async (owner: string, page: Page<ListedEvent>, nowMs: number): Promise<Page<StoredEvent>> => {
    const rowOfId = await find(
      owner,
      page.items.flatMap(({ position, row }) => (row ? [] : [position.id])),
    );
    const items: StoredEvent[] = [];
    let bytes = 0;
    let last: Position | null = null;
    for (const { position, row } of page.items) {
      const stored = row ?? rowOfId(position.id);
      const event = stored && !isExpired(stored, nowMs) ? storedEventSchema.parse(stored) : null;
      bytes += event ? Buffer.byteLength(event.data) + Buffer.byteLength(event.meta ?? '') : 0;
      if (last && bytes > MAX_PAGE_BYTES) return { items, next: last };
      if (event) items.push(event);
      last = position;
    }
    return { items, next: page.next };
  };

  const get = async (owner: string, id: string, nowMs: number): Promise<StoredEvent | null> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: table, Key: marshall(eventKey(owner, id)), ConsistentRead: true }),
    );
    const row = Item && unmarshall(Item);
    return row && !isExpired(row, nowMs) ? storedEventSchema.parse(row) : null;
  };

  /** Writes one event. Returns false where its id exists. */
  const putNew = async (event: StoredEvent): Promise<boolean> => {
    const put = await nullIfRefused(
      client.send(
        new PutItemCommand({
          TableName: table,
          Item: marshall(rowOf(eventRow(event)), { removeUndefinedValues: true }),
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
    return put !== null;
  };

  return {
    async find(owner, ids) {
      const rowOfId = await find(owner, ids);
      return new Map(
        ids.flatMap((id) => {
          const row = rowOfId(id);
          return row ? [[id, storedEventSchema.parse(row)] as const] : [];
        }),
      );
    },

    async add(events) {
      const [only] = events;
      // Writes a single event with a plain put, because a put costs the function and DynamoDB half the work of a
      // statement.
      if (only && events.length === 1) return [await putNew(only)];
      const statements = events.map((event) => insertStatement(table, eventRow(event)));
      const outcomes = await executeStatements(client, statements);
      return outcomes.map((outcome) => outcome === 'done');
    },

    async claimKey(owner, key, hash, nowMs) {
      const nowSeconds = toSeconds(nowMs);
      const row = {
        ...idempotencyRowKey(owner, '/events', key),
        kind: 'idempotency',
        hash,
        ttl: ttlSeconds(nowMs, KEY_LIFE_DAYS),
      };
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: marshall(rowOf(row)),
            ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
            ExpressionAttributeNames: { '#ttl': 'ttl' },
            ExpressionAttributeValues: marshall({ ':now': nowSeconds }),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        );
        return null;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException && error.Item) return String(unmarshall(error.Item).hash);
        throw error;
      }
    },

    get,

    async deletePayload(owner, id, entry, call, nowMs) {
      const event = await get(owner, id, nowMs);
      if (event === null || event.payload_deleted_at !== undefined) return event !== null;
      const update = {
        TableName: table,
        Key: marshall(eventKey(owner, id)),
        UpdateExpression: 'SET #data = :null, payload_deleted_at = :at REMOVE #meta',
        ConditionExpression:
          'attribute_exists(pk) AND attribute_not_exists(payload_deleted_at) AND (attribute_not_exists(#ttl) OR #ttl > :now)',
        ExpressionAttributeNames: { '#data': 'data', '#meta': 'meta', '#ttl': 'ttl' },
        ExpressionAttributeValues: marshall({
          ':null': 'null',
          ':at': new Date(nowMs).toISOString(),
          ':now': Math.floor(nowMs / SECOND_MS),
        }),
      };
      const command = putCommand(table, erasePayloadCommand(event, call), nowMs);
      if (await changeTogether(client, [{ Update: update }, putAuditEntry(table, entry), command])) return true;
      // Returns true also if a concurrent call deleted the event's payload. Returns false if the event does not exist.
      return (await get(owner, id, nowMs)) !== null;
    },

    async list(owner, filter, { limit, after, nowMs }) {
      const shards = Array.from({ length: SHARDS }, (_, shard) => eventListPk(owner, shard));
      const page = await mergedPage({
        ranges: shards.flatMap((pk) => [timedRun(pk, filter, nowMs), derivedRun(pk, filter)]),
        positionOf: ({ position }) => position,
        after,
        limit,
        examineAtMost: MAX_ROWS_READ,
        isFiltered: filter.type !== undefined || filter.resource !== undefined || filter.customer !== null,
      });
      return pageOfRows(owner, page, nowMs);
    },
  };
};
