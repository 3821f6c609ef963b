import { type DynamoDBClient, QueryCommand, type QueryCommandInput, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { storedEventSchema } from '../../domain/events/event.ts';
import { idBound } from '../../domain/foundation/id.ts';
import type { LostChangesProgress, LostChangesStore } from '../../domain/maintenance/lost-changes.ts';
import { batchGet } from '../aws/batch-get.ts';
import { createCheckpoint } from '../aws/checkpoint.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { changedRowToEvents } from '../rows/changed-row.ts';
import { isExpired } from '../rows/row.ts';
import {
  CHANGE_SHARDS,
  changesPk,
  commandKey,
  deliveryKey,
  eventKey,
  eventListPk,
  indexes,
  type Key,
  lostChangesProgressKey,
  SHARDS,
  webhookKey,
} from '../rows/table-keys.ts';

const ROWS_PER_PAGE = 100;
const COMMANDS_PER_PAGE = 1000;

const progressSchema: z.ZodType<LostChangesProgress> = z.object({
  startMs: z.number(),
  endMs: z.number(),
  owner: z.string().nullable(),
  list: z.number(),
  after: z.string().nullable(),
});

const keySchema = z.object({ pk: z.string(), sk: z.string() });

/** The reads of the search for lost changes, and its progress. */
export type LostChangesReads = Omit<LostChangesStore, 'subscribers' | 'add' | 'accounts'>;

/** Reads what the search for lost changes compares: changed rows, events, deliveries and webhooks. */
export const createLostChangesReads = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
): LostChangesReads => {
  const progress = createCheckpoint(client, tables.delivery, lostChangesProgressKey, 'roll-up', progressSchema);

  /** Reads one page of a query of the domain table. `next` is the text of the last key that was read. */
  const readPage = async (input: Omit<QueryCommandInput, 'TableName'>, after: string | null) => {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: tables.domain,
        Limit: ROWS_PER_PAGE,
        ...input,
        ...(after === null ? {} : { ExclusiveStartKey: marshall(JSON.parse(after)) }),
      }),
    );
    return {
      rows: Items.map((item) => unmarshall(item)),
      next: LastEvaluatedKey ? JSON.stringify(unmarshall(LastEvaluatedKey)) : null,
    };
  };

  const readRows = async (table: string, keys: readonly Key[], isConsistent = false) => {
    const find = await batchGet(
      client,
      keys.map((key) => ({ table, key, isConsistent })),
    );
    return keys.map((key) => find(table, key));
  };

  /** Returns the ids whose keys have rows. Reads a row that seems to be missing a second time, with a consistent read. */
  const storedIds = async (table: string, items: readonly { readonly id: string; readonly key: Key }[]) => {
    const ids = new Set<string>();
    for (const isConsistent of [false, true]) {
      const rest = items.filter(({ id }) => !ids.has(id));
      const rows = await readRows(
        table,
        rest.map(({ key }) => key),
        isConsistent,
      );
      for (const [index, { id }] of rest.entries()) if (rows[index]) ids.add(id);
    }
    return ids;
  };

  /** Reads the rows of which a page of an index has only the keys. */
  const readKeyed = async (rows: readonly Record<string, unknown>[]) => {
    const found = await readRows(
      tables.domain,
      rows.map((row) => keySchema.parse(row)),
    );
    return found.filter((row) => row !== null);
  };

  return {
    lists: { changes: CHANGE_SHARDS, events: 2 * SHARDS },
    lostChangesProgress: progress.read,
    saveLostChangesProgress: progress.save,

    async changedInHour(hourMs, list, after, nowMs) {
      const { rows, next } = await readPage(
        {
          IndexName: indexes.changes,
          KeyConditionExpression: 'changed_pk = :pk',
          ExpressionAttributeValues: marshall({ ':pk': changesPk(hourMs, list) }),
        },
        after,
      );
      const changed = (await readKeyed(rows)).filter((row) => !isExpired(row, nowMs));
      return { events: changed.flatMap(changedRowToEvents), next };
    },

    // The first lists have the events whose ids hold their time; the others, in the index, those with derived ids.
    async eventsOfHours(owner, { startMs, endMs }, list, after, nowMs) {
      const pk = eventListPk(owner, list % SHARDS);
      const isIndex = list >= SHARDS;
      const at = (timeMs: number) => (isIndex ? new Date(timeMs).toISOString() : idBound('evt', timeMs));
      const [pkName, skName] = isIndex ? ['list_pk', 'list_sk'] : ['pk', 'sk'];
      const { rows, next } = await readPage(
        {
          ...(isIndex ? { IndexName: indexes.list } : {}),
          KeyConditionExpression: `${pkName} = :pk AND ${skName} BETWEEN :from AND :end`,
          ExpressionAttributeValues: marshall({ ':pk': pk, ':from': at(startMs), ':end': at(endMs) }),
        },
        after,
      );
      const events = isIndex ? await readKeyed(rows) : rows;
      const unexpired = events.filter((row) => !isExpired(row, nowMs));
      return { events: unexpired.flatMap((row) => storedEventSchema.safeParse(row).data ?? []), next };
    },

    storedEventIds: (events) =>
      storedIds(
        tables.domain,
        events.map(({ owner, id }) => ({ id, key: eventKey(owner, id) })),
      ),

    storedDeliveryIds: (ids) =>
      storedIds(
        tables.delivery,
        ids.map((id) => ({ id, key: deliveryKey(id) })),
      ),

    async unfinishedCommands(owner, after, { submittedByMs, againByMs }) {
      const { rows, next } = await readPage(
        {
          KeyConditionExpression: 'pk = :pk',
          FilterExpression: `attribute_not_exists(done_at) AND submitted_at <= :submitted
            AND (attribute_not_exists(resubmitted_at) OR resubmitted_at <= :again)`,
          ExpressionAttributeValues: marshall({
            ':pk': commandKey(owner, '').pk,
            ':submitted': submittedByMs,
            ':again': againByMs,
          }),
          ProjectionExpression: 'id, #ttl',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          Limit: COMMANDS_PER_PAGE,
        },
        after,
      );
      return { ids: rows.filter((row) => !isExpired(row, submittedByMs)).map(({ id }) => String(id)), next };
    },

    async resubmit(owner, commandId, nowMs) {
      const updated = await nullIfRefused(
        client.send(
          new UpdateItemCommand({
            TableName: tables.domain,
            Key: marshall(commandKey(owner, commandId)),
            UpdateExpression: 'SET resubmitted_at = :now',
            ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(done_at)',
            ExpressionAttributeValues: marshall({ ':now': nowMs }),
          }),
        ),
      );
      return updated !== null;
    },

    async routedWebhooks(owner) {
      const found: Record<string, unknown>[] = [];
      for (let after: string | null = null; ; ) {
        const page = await readPage(
          {
            KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
            ExpressionAttributeValues: marshall({
              ':pk': webhookKey(owner, '').pk,
              ':first': 'whk_',
              ':last': 'whk_~',
            }),
            ProjectionExpression: 'sk, updated_at, routed_at, deleted_at',
            Limit: 1000,
          },
          after,
        );
        found.push(...page.rows);
        after = page.next;
        if (after === null) break;
      }
      return found
        .filter(({ deleted_at }) => !deleted_at)
        .map(({ sk, routed_at, updated_at }) => ({
          webhookId: String(sk),
          sinceMs: Date.parse(String(routed_at ?? updated_at)),
        }));
    },
  };
};
