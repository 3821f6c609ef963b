import { setTimeout as sleep } from 'node:timers/promises';
import { createDynamoCall, type DynamoCall, DynamoRefusal } from './dynamo-call.ts';

export interface Table {
  readonly name: string;
  readonly streamArn: string | undefined;
}

interface TableProperties {
  readonly KeySchema: readonly KeyElement[];
  readonly AttributeDefinitions: readonly object[];
  readonly GlobalSecondaryIndexes?: readonly Index[];
  readonly LocalSecondaryIndexes?: readonly Index[];
  readonly StreamSpecification?: { readonly StreamViewType: string };
  readonly TimeToLiveSpecification?: { readonly AttributeName: string; readonly Enabled: boolean };
}

interface KeyElement {
  readonly AttributeName: string;
  readonly KeyType: string;
}

interface Index {
  readonly IndexName: string;
  readonly KeySchema: readonly KeyElement[];
  readonly Projection: object;
}

interface TableDescription extends TableProperties {
  readonly TableStatus: string;
  readonly LatestStreamArn?: string;
}

const describe = async (call: DynamoCall, name: string): Promise<TableDescription | undefined> => {
  try {
    return (await call('DescribeTable', { TableName: name })).Table as TableDescription;
  } catch (error) {
    if (error instanceof DynamoRefusal && error.code === 'ResourceNotFoundException') return undefined;
    throw error;
  }
};

const indexInput = ({ IndexName, KeySchema, Projection }: Index): Index => ({ IndexName, KeySchema, Projection });

const create = async (call: DynamoCall, name: string, properties: TableProperties): Promise<void> => {
  const { GlobalSecondaryIndexes: global, LocalSecondaryIndexes: local } = properties;
  await call('CreateTable', {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: properties.KeySchema,
    AttributeDefinitions: properties.AttributeDefinitions,
    ...(global ? { GlobalSecondaryIndexes: global.map(indexInput) } : {}),
    ...(local ? { LocalSecondaryIndexes: local.map(indexInput) } : {}),
    ...(properties.StreamSpecification
      ? { StreamSpecification: { StreamEnabled: true, StreamViewType: properties.StreamSpecification.StreamViewType } }
      : {}),
  });
  if (properties.TimeToLiveSpecification) {
    await call('UpdateTimeToLive', {
      TableName: name,
      TimeToLiveSpecification: { AttributeName: properties.TimeToLiveSpecification.AttributeName, Enabled: true },
    });
  }
};

const keysOf = ({ KeySchema, GlobalSecondaryIndexes = [], LocalSecondaryIndexes = [] }: TableProperties): string => {
  const keys = (schema: readonly KeyElement[]): string => schema.map((key) => key.AttributeName).join('/');
  const indexes = [...GlobalSecondaryIndexes, ...LocalSecondaryIndexes];
  return [keys(KeySchema), ...indexes.map((index) => `${index.IndexName}:${keys(index.KeySchema)}`).sort()].join(' ');
};

/**
 * Creates the table unless it exists, and waits until it is active. The rows of an existing table stay. Throws if the
 * keys or indexes of an existing table differ from the template.
 */
export const ensureTable = async (endpoint: string, name: string, resolvedProperties: unknown): Promise<Table> => {
  const call = createDynamoCall(endpoint, 'table');
  const properties = resolvedProperties as TableProperties;
  if (!(await describe(call, name))) await create(call, name, properties);
  for (;;) {
    const table = await describe(call, name);
    if (table && keysOf(table) !== keysOf(properties)) {
      throw new Error(`The stored table ${name} has different keys or indexes than the template: start with --fresh.`);
    }
    if (table?.TableStatus === 'ACTIVE') return { name, streamArn: table.LatestStreamArn };
    await sleep(20);
  }
};
