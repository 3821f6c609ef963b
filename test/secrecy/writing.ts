import { createDynamoCall } from '../../local/tables/dynamo-call.ts';
import { saveForVerdicts } from '../helpers/run-folder.ts';

/** A log line, a row or a message that functions wrote. */
export interface Writing {
  /** For example `log deliver`, `domain-table webhook` or `queue dead-letters`. */
  readonly place: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Marshalled {
  readonly kind?: { readonly S: string };
}

const scan = async (endpoint: string, TableName: string): Promise<Marshalled[]> => {
  const call = createDynamoCall(endpoint, 'table');
  const rows: Marshalled[] = [];
  let ExclusiveStartKey: unknown;
  do {
    const page = await call('Scan', { TableName, ConsistentRead: true, ExclusiveStartKey });
    rows.push(...(page.Items as Marshalled[]));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return rows;
};

/** Stores all rows of a table for the verdict. */
export const leaveRows = async (endpoint: string, tableName: string, name: string): Promise<void> => {
  const rows = await scan(endpoint, tableName);
  saveForVerdicts(
    'writings',
    rows.map((fields): Writing => ({ place: `${name} ${fields.kind?.S ?? 'row'}`, fields: { ...fields } })),
  );
};

/** Stores log lines for the verdict. */
export const leaveLines = (place: string, lines: readonly string[]): void =>
  saveForVerdicts(
    'writings',
    lines.map((line): Writing => ({ place, fields: { line } })),
  );
