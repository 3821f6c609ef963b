import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchExecuteStatementCommand,
  type BatchStatementRequest,
  type BatchStatementResponse,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { PassPostError } from '../../domain/foundation/errors.ts';
import { rowOf } from '../rows/row.ts';

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

/** A statement that changes a row only while it holds `expected`. One attribute at most can be removed (the engines differ beyond that); what else must go is cleared, set to null. */
export const updateStatement = (
  table: string,
  key: { readonly pk: string; readonly sk: string },
  set: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
  remove?: string,
  cleared: readonly string[] = [],
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

const executeBatch = async (client: DynamoDBClient, statements: readonly BatchStatementRequest[]) => {
  const outcomes: Outcome[] = new Array(statements.length).fill('done');
  let open = statements.map((_, index) => index);
  for (let tries = 1; ; tries++) {
    const sent = open.map((index) => statements[index] as BatchStatementRequest);
    const { Responses = [] } = await client.send(new BatchExecuteStatementCommand({ Statements: sent }));
    const again: number[] = [];
    open.forEach((index, position) => {
      const outcome = outcomeOf(Responses[position]);
      if (outcome === 'again') again.push(index);
      else outcomes[index] = outcome;
    });
    if (again.length === 0) return outcomes;
    if (tries === 5) throw new PassPostError('unavailable', 'The tables are busy. Try again in a moment.');
    await sleep(25 * 2 ** tries * (0.5 + Math.random()));
    open = again;
  }
};

/**
 * Runs statements, each standing or failing alone, 25 a call and four calls at a time. No key may appear twice in 25.
 * Returns what became of each; throws where the engine would not take one.
 */
export const executeStatements = async (
  client: DynamoDBClient,
  statements: readonly BatchStatementRequest[],
): Promise<readonly Outcome[]> => {
  const batches: BatchStatementRequest[][] = [];
  for (let i = 0; i < statements.length; i += BATCH) batches.push(statements.slice(i, i + BATCH));
  const outcomes: Outcome[] = [];
  for (let i = 0; i < batches.length; i += 4) {
    const four = await Promise.all(batches.slice(i, i + 4).map((batch) => executeBatch(client, batch)));
    outcomes.push(...four.flat());
  }
  return outcomes;
};
