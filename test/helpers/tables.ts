import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { indexes } from '../../lambdas/adapters/rows/table-keys.ts';
import { type Dynoxide, startDynoxide } from '../../local/tables/dynoxide.ts';

export interface Tables {
  readonly client: DynamoDBClient;
  readonly endpoint: string;
  readonly domainTable: string;
  readonly deliveryTable: string;
  readonly credentialsTable: string;
}

const attribute = (name: string, type: 'S' | 'N' = 'S') => ({ AttributeName: name, AttributeType: type });
const keySchema = (pk: string, sk: string) => [
  { AttributeName: pk, KeyType: 'HASH' as const },
  { AttributeName: sk, KeyType: 'RANGE' as const },
];

const createTables = async (client: DynamoDBClient): Promise<void> => {
  const common = { BillingMode: 'PAY_PER_REQUEST' as const, KeySchema: keySchema('pk', 'sk') };
  await client.send(
    new CreateTableCommand({
      ...common,
      TableName: 'domain',
      AttributeDefinitions: ['pk', 'sk', 'list_pk', 'list_sk', 'ref_pk', 'ref_sk', 'changed_pk'].map((name) =>
        attribute(name),
      ),
      GlobalSecondaryIndexes: [
        {
          IndexName: indexes.list,
          KeySchema: keySchema('list_pk', 'list_sk'),
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['type', 'resource'] },
        },
        {
          IndexName: indexes.reference,
          KeySchema: keySchema('ref_pk', 'ref_sk'),
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
        {
          IndexName: indexes.changes,
          KeySchema: keySchema('changed_pk', 'pk'),
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
  await client.send(
    new CreateTableCommand({
      ...common,
      TableName: 'delivery',
      AttributeDefinitions: [
        ...['pk', 'sk', 'due_pk', 'att_pk', 'failing_pk'].map((name) => attribute(name)),
        attribute('due_at', 'N'),
        attribute('failing_since', 'N'),
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: indexes.due,
          KeySchema: keySchema('due_pk', 'due_at'),
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['ticket', 'parked', 'owner', 'event_id'] },
        },
        { IndexName: indexes.attention, KeySchema: keySchema('att_pk', 'sk'), Projection: { ProjectionType: 'ALL' } },
        {
          IndexName: indexes.failing,
          KeySchema: keySchema('failing_pk', 'failing_since'),
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
  await client.send(
    new CreateTableCommand({
      ...common,
      TableName: 'credentials',
      AttributeDefinitions: ['pk', 'sk'].map((name) => attribute(name)),
    }),
  );
};

/** Starts a DynamoDB engine with the three tables for one test file. Call this at the top of a `describe`. */
export const useTables = (): Tables => {
  const tables: { -readonly [K in keyof Tables]: Tables[K] } = {
    client: undefined as unknown as DynamoDBClient,
    endpoint: '',
    domainTable: 'domain',
    deliveryTable: 'delivery',
    credentialsTable: 'credentials',
  };
  let engine: Dynoxide;
  beforeAll(async () => {
    engine = await startDynoxide();
    tables.endpoint = engine.endpoint;
    tables.client = new DynamoDBClient({
      endpoint: engine.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    await createTables(tables.client);
  });
  afterAll(() => engine?.stop());
  return tables;
};
