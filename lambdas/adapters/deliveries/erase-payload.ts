import { setTimeout as sleep } from 'node:timers/promises';
import { type DynamoDBClient, paginateQuery, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type StoredDelivery, storedDeliverySchema } from '../../domain/deliveries/delivery.ts';
import { type DeliveryChange, erasePayloadOf } from '../../domain/deliveries/transitions.ts';
import type { CommandStore } from '../../domain/fan-out/run-command.ts';
import { deliveryId } from '../../domain/foundation/id.ts';
import { SECOND_MS } from '../../domain/foundation/time.ts';
import { batchGet } from '../aws/batch-get.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { executeStatements, insertStatement, updateStatement } from '../aws/statements.ts';
import { deliveryUpdate, eraseBodyUpdate, erasedAttemptRows } from '../rows/delivery-row.ts';
import { deliveryKey, jobKey, webhookKey } from '../rows/table-keys.ts';

/**
 * The maximum number of rounds of reading and writing the deliveries of one event. An attempt or a command may change a
 * delivery between read and write; the next round then reads the delivery again.
 */
const MAX_ROUNDS = 5;

/**
 * Milliseconds after the end of an attempt in which its function may still be writing the rows of the attempt, because
 * the statements of one call are carried out one after the other.
 */
const RECORDING_MS = 10 * SECOND_MS;
/** Milliseconds before the next round if something changed between read and write. */
const PAUSE_MS = 100;

const rowName = ({ id, number }: { readonly id: string; readonly number: number }): string => `${id}#${number}`;

/** Returns whether the last attempt of a delivery is recorded, but one of the attempts' own rows may not be written yet. */
const isBeingRecorded = (
  { id, last, attempts_made }: StoredDelivery,
  rowsFound: ReadonlySet<string>,
  nowMs: number,
): boolean => {
  if (last === null || nowMs > last.started_at + last.duration_ms + RECORDING_MS) return false;
  const ownRows = [...(attempts_made > 1 ? [attempts_made - 1] : []), ...(last.has_body_row ? [attempts_made] : [])];
  return ownRows.some((number) => !rowsFound.has(rowName({ id, number })));
};

/**
 * Erases what the payload of an event has left in other rows. Every step may run twice. An attempt that is under way
 * cannot bring a response body back: its delivery is cancelled and has another ticket, and its rows exist already.
 */
export const createPayloadEraser = (
  client: DynamoDBClient,
  tables: { readonly domain: string; readonly delivery: string },
  retentionDays: number,
): Pick<CommandStore, 'erasePayload'> => {
  /** Returns the ids of an owner's webhooks, deleted webhooks included: each may have a delivery of the event. */
  const webhookIds = async (owner: string): Promise<string[]> => {
    const ids: string[] = [];
    const query = {
      TableName: tables.domain,
      KeyConditionExpression: 'pk = :pk',
      ProjectionExpression: 'sk',
      ExpressionAttributeValues: marshall({ ':pk': webhookKey(owner, '').pk }),
      ConsistentRead: true,
    };
    for await (const { Items = [] } of paginateQuery({ client }, query)) {
      ids.push(...Items.map(({ sk }) => sk?.S ?? ''));
    }
    return ids;
  };

  const readDeliveries = async (ids: readonly string[]): Promise<StoredDelivery[]> => {
    const find = await batchGet(
      client,
      ids.map((id) => ({ table: tables.delivery, key: deliveryKey(id), isConsistent: true })),
    );
    return ids.flatMap((id) => {
      const row = find(tables.delivery, deliveryKey(id));
      return row ? [storedDeliverySchema.parse(row)] : [];
    });
  };

  /** Erases the deliveries that do not change between read and write. Returns the ids of the others. */
  const eraseRound = async (ids: readonly string[], nowMs: number): Promise<string[]> => {
    const deliveries = await readDeliveries(ids);
    const changes = deliveries
      .map((before): DeliveryChange => ({ before, after: erasePayloadOf(before, nowMs) }))
      .filter(({ before, after }) => before !== after);
    const outcomes = await executeStatements(
      client,
      changes.map((change) => updateStatement(tables.delivery, deliveryUpdate(change, retentionDays))),
    );
    const changed = new Set(changes.filter((_, index) => outcomes[index] !== 'done').map(({ before }) => before.id));
    // Also for deliveries without a change: an earlier run of the command may have died after it cancelled them.
    const ended = deliveries.filter(({ id }) => !changed.has(id));
    await executeStatements(
      client,
      ended
        .flatMap((delivery) => erasedAttemptRows(delivery, retentionDays))
        .map((row) => insertStatement(tables.delivery, row)),
    );
    // Erases also the row of an attempt under way, which its function may have written before the placeholder.
    const attempts = deliveries.flatMap(({ id, attempts_made }) =>
      Array.from({ length: attempts_made + 1 }, (_, index) => ({ id, number: index + 1 })),
    );
    // A statement fails for an attempt without a row of its own, whose body was in the row of the delivery.
    const erased = await executeStatements(
      client,
      attempts.map(({ id, number }) => updateStatement(tables.delivery, eraseBodyUpdate(id, number))),
    );
    const rowsFound = new Set(attempts.filter((_, index) => erased[index] === 'done').map(rowName));
    const incomplete = deliveries.filter((delivery) => isBeingRecorded(delivery, rowsFound, nowMs)).map(({ id }) => id);
    return [...new Set([...changed, ...incomplete])];
  };

  const eraseJob = (jobId: string, nowMs: number): Promise<unknown> =>
    nullIfRefused(
      client.send(
        new UpdateItemCommand({
          TableName: tables.domain,
          Key: marshall(jobKey(jobId)),
          UpdateExpression: 'SET #input = :null, erased_at = :at REMOVE meta, #data ADD version :one',
          ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(erased_at)',
          ExpressionAttributeNames: { '#input': 'input', '#data': 'data' },
          ExpressionAttributeValues: marshall({ ':null': 'null', ':at': new Date(nowMs).toISOString(), ':one': 1 }),
        }),
      ),
    );

  return {
    async erasePayload({ owner, event_id, event_created_at, job_id }, nowMs) {
      if (job_id !== undefined) await eraseJob(job_id, nowMs);
      const createdAtMs = Date.parse(event_created_at);
      let open = (await webhookIds(owner)).map((webhookId) => deliveryId(createdAtMs, event_id, webhookId));
      for (let round = 0; open.length > 0; round++) {
        if (round === MAX_ROUNDS) throw new Error(`${open.length} deliveries changed in each of ${MAX_ROUNDS} rounds`);
        if (round > 0) await sleep(PAUSE_MS);
        open = await eraseRound(open, nowMs);
      }
    },
  };
};
