import {
  BatchExecuteStatementCommand,
  type BatchStatementRequest,
  type BatchStatementResponse,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type RowUpdate, rowOf } from '../rows/row.ts';
import { refusedItem } from './refusal.ts';
import { inBatches, retryRemaining, tablesAreBusy } from './retry.ts';

// The statements have two forms, and nothing outside AWS's documented grammar:
//   INSERT INTO "table" VALUE {'name': ?, …}
//   https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.insert.html
//   UPDATE "table" SET "name"=? SET "name"=? … REMOVE "name" WHERE "pk"=? AND "sk"=? AND "name"=? …
//   https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.update.html

/** DynamoDB takes at most 25 statements in one call. */
const MAX_STATEMENTS = 25;

const TRANSIENT: ReadonlySet<string | undefined> = new Set([
  'InternalServerError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'ThrottlingError',
  'TransactionConflict',
]);

/** Returns whether the next try may succeed after a statement or a transaction's item failed with this error code. */
export const isTransient = (code: string | undefined): boolean => TRANSIENT.has(code);

const MARSHALL = { removeUndefinedValues: true } as const;

/** Returns the statement that inserts a row. The statement fails with `DuplicateItem` if the row's key exists. */
export const insertStatement = (table: string, row: Readonly<Record<string, unknown>>): BatchStatementRequest => {
  const entries = Object.entries(marshall(rowOf(row), MARSHALL));
  const fields = entries.map(([name]) => `'${name}': ?`).join(', ');
  return { Statement: `INSERT INTO "${table}" VALUE {${fields}}`, Parameters: entries.map(([, value]) => value) };
};

/**
 * Returns the statement that updates a row, with a SET clause for each attribute as AWS documents it. The statement
 * fails with `ConditionalCheckFailed` if the row does not exist or does not hold the expected values.
 */
export const updateStatement = (
  table: string,
  { key, set, expected, remove, cleared = [] }: RowUpdate,
): BatchStatementRequest => {
  const nulls = Object.fromEntries(cleared.map((name) => [name, null]));
  const assignments = Object.entries(marshall({ ...rowOf(set), ...nulls }, MARSHALL));
  const conditions = Object.entries(marshall({ ...key, ...expected }, MARSHALL));
  return {
    Statement: [
      `UPDATE "${table}"`,
      ...assignments.map(([name]) => `SET "${name}"=?`),
      ...(remove ? [`REMOVE "${remove}"`] : []),
      `WHERE ${conditions.map(([name]) => `"${name}"=?`).join(' AND ')}`,
    ].join(' '),
    Parameters: [...assignments, ...conditions].map(([, value]) => value),
  };
};

/**
 * The result of a statement. `duplicate`: the key of an insert exists. `condition_failed`: the row of an update does
 * not exist or does not hold the expected values.
 */
type Outcome = 'done' | 'duplicate' | 'condition_failed';

const outcomeOf = (response: BatchStatementResponse | undefined): Outcome | 'retry' => {
  const code = response?.Error?.Code;
  if (!code) return 'done';
  if (code === 'DuplicateItem') return 'duplicate';
  if (code === 'ConditionalCheckFailed') return 'condition_failed';
  if (isTransient(code)) return 'retry';
  throw refusedItem(code, `DynamoDB refused a statement: ${code}, ${response.Error?.Message}`);
};

const executeBatch = async (
  client: DynamoDBClient,
  statements: readonly BatchStatementRequest[],
): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = new Array(statements.length).fill('done');
  const execute = async (indexes: readonly number[]): Promise<readonly number[]> => {
    const sent = indexes.map((index) => statements[index] as BatchStatementRequest);
    const { Responses = [] } = await client.send(new BatchExecuteStatementCommand({ Statements: sent }));
    const toRetry: number[] = [];
    indexes.forEach((index, position) => {
      const outcome = outcomeOf(Responses[position]);
      if (outcome === 'retry') toRetry.push(index);
      else outcomes[index] = outcome;
    });
    return toRetry;
  };
  await retryRemaining([...statements.keys()], execute, tablesAreBusy);
  return outcomes;
};

/**
 * Executes statements, 25 a call and four calls at a time. Each statement succeeds or fails alone. Two statements of
 * the same call must not have the same key. Returns the outcome of each statement. Throws if DynamoDB refuses a
 * statement with any other error.
 */
export const executeStatements = async (
  client: DynamoDBClient,
  statements: readonly BatchStatementRequest[],
): Promise<readonly Outcome[]> =>
  (await inBatches(statements, MAX_STATEMENTS, (batch) => executeBatch(client, batch))).flat();
