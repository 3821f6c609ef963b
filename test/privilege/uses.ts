import type { AwsCall } from '../../local/wiring/interceptor.ts';

/** One permission that IAM checks when a function calls AWS. */
export interface Use {
  readonly functionName: string;
  readonly action: string;
  /** Name of the construct: `domain-table`, `domain-table/index/list`, `deliveries`. */
  readonly resource: string;
  /** The values of `dynamodb:LeadingKeys`: the partition keys of the call, with `…` in place of ids. */
  readonly leadingKeys: readonly string[];
  /** The service that makes the call on the function's behalf. */
  readonly through?: string;
}

type PartialUse = Omit<Use, 'functionName'>;
type NameOf = (physicalName: string) => string;

interface Row {
  readonly pk: { readonly S: string };
}

interface KeyedInput {
  readonly TableName: string;
  readonly Key?: Row;
  readonly Item?: Row;
}

/** Replaces ids and hashes by `…`, because no policy depends on them: every run then records the same few keys. */
export const keyShape = (key: string): string => key.replaceAll(/[0-9A-Z]{26,}|[0-9a-f]{64}/g, '…');

const keysOf = (rows: readonly (Row | undefined)[]): string[] =>
  [...new Set(rows.map((row) => keyShape(row?.pk.S ?? '')))].toSorted();

const onRow = (action: string, input: KeyedInput, nameOf: NameOf): PartialUse => ({
  action: `dynamodb:${action}`,
  resource: nameOf(input.TableName),
  leadingKeys: keysOf([input.Key ?? input.Item]),
});

const queried = (input: Readonly<Record<string, unknown>>, nameOf: NameOf): PartialUse => {
  const { TableName, IndexName, KeyConditionExpression, ExpressionAttributeValues } = input as {
    TableName: string;
    IndexName?: string;
    KeyConditionExpression: string;
    ExpressionAttributeValues: Record<string, { S: string }>;
  };
  const [, value = ''] = /^#?\w+ = (:\w+)/.exec(KeyConditionExpression) ?? [];
  return {
    action: 'dynamodb:Query',
    // IAM checks a query of an index against the index's name and the index's partition key.
    resource: nameOf(TableName) + (IndexName ? `/index/${IndexName}` : ''),
    leadingKeys: [keyShape(ExpressionAttributeValues[value]?.S ?? '?')],
  };
};

const transactionVerbs: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html: IAM checks a transaction as the calls that it contains. */
const transacted = (input: Readonly<Record<string, unknown>>, nameOf: NameOf): PartialUse[] =>
  (input.TransactItems as Record<string, KeyedInput>[])
    .flatMap(Object.entries)
    .map(([verb, item]) => onRow(transactionVerbs[verb] ?? verb, item, nameOf));

interface PartiqlStatement {
  readonly Statement: string;
  readonly Parameters?: readonly { readonly S?: string }[];
}

/** The partition key of a statement: the parameter at the place where the statement sets or compares `pk`. */
const statedKey = ({ Statement, Parameters = [] }: PartiqlStatement): string => {
  const [before] = Statement.split(/(?<=['"]pk['"]\s*[:=]\s*)\?/);
  return Parameters[(before ?? '').split('?').length - 1]?.S ?? '';
};

/**
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html: IAM checks each statement alone. AWS does
 * not document whether IAM knows its partition key. The judge assumes that IAM does, because a role must allow the call then.
 */
const stated = (input: Readonly<Record<string, unknown>>, nameOf: NameOf): PartialUse[] =>
  (input.Statements as PartiqlStatement[]).map((statement) => {
    const [, verb = '', table = ''] = /^(\w+)[^"]* "([^"]+)"/.exec(statement.Statement) ?? [];
    const action = `dynamodb:PartiQL${verb.slice(0, 1)}${verb.slice(1).toLowerCase()}`;
    return { action, resource: nameOf(table), leadingKeys: [keyShape(statedKey(statement))] };
  });

type Rows = readonly (Row | undefined)[];

const onRowsOfTables = (action: string, tables: readonly (readonly [string, Rows])[], nameOf: NameOf): PartialUse[] =>
  tables.map(([table, rows]) => ({ action: `dynamodb:${action}`, resource: nameOf(table), leadingKeys: keysOf(rows) }));

const fetched = (input: Readonly<Record<string, unknown>>, nameOf: NameOf): PartialUse[] => {
  const tables = Object.entries(input.RequestItems as Record<string, { Keys: Row[] }>);
  return onRowsOfTables(
    'BatchGetItem',
    tables.map(([table, { Keys }]) => [table, Keys] as const),
    nameOf,
  );
};

const written = (input: Readonly<Record<string, unknown>>, nameOf: NameOf): PartialUse[] => {
  const tables = Object.entries(
    input.RequestItems as Record<string, { PutRequest?: { Item: Row }; DeleteRequest?: { Key: Row } }[]>,
  );
  const rowOf = (request: { PutRequest?: { Item: Row }; DeleteRequest?: { Key: Row } }) =>
    request.PutRequest?.Item ?? request.DeleteRequest?.Key;
  return onRowsOfTables(
    'BatchWriteItem',
    tables.map(([table, all]) => [table, all.map(rowOf)] as const),
    nameOf,
  );
};

const partialUsesOf = ({ service, operation, input }: AwsCall, nameOf: NameOf): PartialUse[] => {
  switch (`${service}:${operation}`) {
    case 'dynamodb:GetItem':
    case 'dynamodb:PutItem':
    case 'dynamodb:UpdateItem':
    case 'dynamodb:DeleteItem':
      return [onRow(operation, input as unknown as KeyedInput, nameOf)];
    case 'dynamodb:Query':
      return [queried(input, nameOf)];
    case 'dynamodb:BatchGetItem':
      return fetched(input, nameOf);
    case 'dynamodb:BatchWriteItem':
      return written(input, nameOf);
    case 'dynamodb:TransactWriteItems':
      return transacted(input, nameOf);
    case 'dynamodb:BatchExecuteStatement':
      return stated(input, nameOf);
    case 'sqs:SendMessage':
    case 'sqs:SendMessageBatch': {
      // IAM checks a batch as single SendMessage calls.
      const queue = String(input.QueueUrl).split('/').at(-1) ?? '';
      return [{ action: 'sqs:SendMessage', resource: nameOf(queue), leadingKeys: [] }];
    }
    case 'secretsmanager:GetSecretValue':
    case 'secretsmanager:PutSecretValue': {
      const secret = String(input.SecretId).replace(/^arn:.*:secret:(.*)-\w{6}$/, '$1');
      return [{ action: `secretsmanager:${operation}`, resource: nameOf(secret), leadingKeys: [] }];
    }
    default:
      // No statement names this resource, so a new kind of call fails the verdict until a case above describes it.
      return [{ action: `${service}:${operation}`, resource: 'unknown', leadingKeys: [] }];
  }
};

/** The permissions that IAM checks for one call. */
export const usesOf = (call: AwsCall, nameOf: NameOf): Use[] =>
  partialUsesOf(call, nameOf).map((use) => ({ functionName: call.functionName, ...use }));
