import type { AwsCall } from '../../local/wiring/interceptor.ts';

/** One thing that IAM is asked when a function calls AWS. */
export interface Use {
  readonly functionName: string;
  readonly action: string;
  /** By its construct's name: `domain-table`, `domain-table/index/list`, `deliveries`. */
  readonly resource: string;
  /** What `dynamodb:LeadingKeys` holds: the partition keys of the call, without the ids in them. */
  readonly leadingKeys: readonly string[];
  /** The service that calls in the function's name. */
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

/** No policy tells one account, webhook or key from another, so every run leaves the same few keys behind. */
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
    // A query of an index is judged by the index's name and its own partition key.
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

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html: as the calls it is made of. */
const transacted = (input: Readonly<Record<string, unknown>>, nameOf: NameOf): PartialUse[] =>
  (input.TransactItems as Record<string, KeyedInput>[])
    .flatMap(Object.entries)
    .map(([verb, item]) => onRow(transactionVerbs[verb] ?? verb, item, nameOf));

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html: each statement for itself, without leading keys. */
const stated = (input: Readonly<Record<string, unknown>>, nameOf: NameOf): PartialUse[] =>
  (input.Statements as { Statement: string }[]).map(({ Statement }) => {
    const [, verb = '', table = ''] = /^(\w+)[^"]* "([^"]+)"/.exec(Statement) ?? [];
    const action = `dynamodb:PartiQL${verb.slice(0, 1)}${verb.slice(1).toLowerCase()}`;
    return { action, resource: nameOf(table), leadingKeys: [] };
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
  const rowOf = (one: { PutRequest?: { Item: Row }; DeleteRequest?: { Key: Row } }) =>
    one.PutRequest?.Item ?? one.DeleteRequest?.Key;
  return onRowsOfTables(
    'BatchWriteItem',
    tables.map(([table, all]) => [table, all.map(rowOf)] as const),
    nameOf,
  );
};

const asksOf = ({ service, operation, input }: AwsCall, nameOf: NameOf): PartialUse[] => {
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
      // A batch is allowed as its messages are.
      const queue = String(input.QueueUrl).split('/').at(-1) ?? '';
      return [{ action: 'sqs:SendMessage', resource: nameOf(queue), leadingKeys: [] }];
    }
    case 'secretsmanager:GetSecretValue':
    case 'secretsmanager:PutSecretValue': {
      const secret = String(input.SecretId).replace(/^arn:.*:secret:(.*)-\w{6}$/, '$1');
      return [{ action: `secretsmanager:${operation}`, resource: nameOf(secret), leadingKeys: [] }];
    }
    default:
      // No statement names such a resource: whoever adds the call says here how IAM judges it.
      return [{ action: `${service}:${operation}`, resource: 'unknown', leadingKeys: [] }];
  }
};

/** What IAM is asked for one call. */
export const usesOf = (call: AwsCall, nameOf: NameOf): Use[] =>
  asksOf(call, nameOf).map((use) => ({ functionName: call.functionName, ...use }));
