import {
  BatchExecuteStatementCommand,
  type BatchStatementRequest,
  type BatchStatementResponse,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type RowUpdate, rowOf } from '../rows/row.ts';
import { inBatches, retryRemaining, tablesAreBusy } from './retry.ts';

/** DynamoDB takes at most 25 statements in one call. */
const BATCH = 25;

const TRANSIENT: ReadonlySet<string | undefined> = new Set([
  'InternalServerError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'ThrottlingError',
  'TransactionConflict',
]);

/** Whether what DynamoDB refused a statement or a part of a transaction for may be over at the next try. */
export const isTransient = (code: string | undefined): boolean => TRANSIENT.has(code);

const MARSHALL = { removeUndefinedValues: true } as const;

/** A statement that adds a row, and fails with `DuplicateItem` where one stands. */
export const insertStatement = (table: string, row: Readonly<Record<string, unknown>>): BatchStatementRequest => {
  const entries = Object.entries(marshall(rowOf(row), MARSHALL));
  const fields = entries.map(([name]) => `'${name}': ?`).join(', ');
  return { Statement: `INSERT INTO "${table}" VALUE {${fields}}`, Parameters: entries.map(([, value]) => value) };
};

/** A statement that makes an update; it fails with `ConditionalCheckFailed` where the row is missing or holds other values. */
export const updateStatement = (
  table: string,
  { key, set, expected, remove, cleared = [] }: RowUpdate,
): BatchStatementRequest => {
  const nulls = Object.fromEntries(cleared.map((name) => [name, null]));
  const assignments = Object.entries(marshall({ ...rowOf(set), ...nulls }, MARSHALL));
  const conditions = Object.entries(marshall({ ...key, ...expected }, MARSHALL));
  return {
    Statement: [
      `UPDATE "${table}" SET ${assignments.map(([name]) => `"${name}"=?`).join(', ')}`,
      ...(remove ? [`REMOVE "${remove}"`] : []),
      `WHERE ${conditions.map(([name]) => `"${name}"=?`).join(' AND ')}`,
    ].join(' '),
    Parameters: [...assignments, ...conditions].map(([, value]) => value),
  };
};

type Outcome = 'done' | 'duplicate' | 'condition_failed';

const outcomeOf = (response: BatchStatementResponse | undefined): Outcome | 'again' => {
  const code = response?.Error?.Code;
  if (!code) return 'done';
  if (code === 'DuplicateItem') return 'duplicate';
  if (code === 'ConditionalCheckFailed') return 'condition_failed';
  if (isTransient(code)) return 'again';
  throw new Error(`DynamoDB refused a statement: ${code}`);
};

const executeBatch = async (
  client: DynamoDBClient,
  statements: readonly BatchStatementRequest[],
): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = new Array(statements.length).fill('done');
  const execute = async (open: readonly number[]): Promise<readonly number[]> => {
    const sent = open.map((index) => statements[index] as BatchStatementRequest);
    const { Responses = [] } = await client.send(new BatchExecuteStatementCommand({ Statements: sent }));
    const again: number[] = [];
    open.forEach((index, position) => {
      const outcome = outcomeOf(Responses[position]);
      if (outcome === 'again') again.push(index);
      else outcomes[index] = outcome;
    });
    return again;
  };
  await retryRemaining([...statements.keys()], execute, tablesAreBusy);
  return outcomes;
};

/**
 * Executes statements, 25 a call and four calls at a time. Each statement succeeds or fails alone. No key may appear twice
 * in 25. Returns the outcome of each statement; throws where DynamoDB rejects one for another reason.
 */
export const executeStatements = async (
  client: DynamoDBClient,
  statements: readonly BatchStatementRequest[],
): Promise<readonly Outcome[]> => (await inBatches(statements, BATCH, (batch) => executeBatch(client, batch))).flat();
