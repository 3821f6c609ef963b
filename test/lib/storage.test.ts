import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { indexes } from '../../lambdas/adapters/rows/table-keys.ts';
import { named, type Resource, resourcesOfType, synthesise } from '../helpers/synthesised.ts';

interface Index {
  readonly IndexName: string;
  readonly KeySchema: readonly { readonly AttributeName: string }[];
  readonly Projection: { readonly ProjectionType: string; readonly NonKeyAttributes?: readonly string[] };
}

const indexesOf = ({ Properties }: Resource) =>
  Object.fromEntries(
    (Properties.GlobalSecondaryIndexes as readonly Index[]).map(({ IndexName, KeySchema, Projection }) => [
      IndexName,
      [
        ...KeySchema.map(({ AttributeName }) => AttributeName),
        Projection.NonKeyAttributes ?? Projection.ProjectionType,
      ],
    ]),
  );

describe('the storage construct', () => {
  const template = synthesise();
  const tables = resourcesOfType(template, 'AWS::DynamoDB::Table');

  test('the domain table and the delivery table have exactly the expected indexes, with their keys and projections, and the credentials table has none', () => {
    const domain = indexesOf(named(template, 'AWS::DynamoDB::Table', 'domain-table'));
    const delivery = indexesOf(named(template, 'AWS::DynamoDB::Table', 'delivery-table'));
    const credentials = named(template, 'AWS::DynamoDB::Table', 'credentials-table').Properties;

    expect(domain).toEqual({
      [indexes.list]: ['list_pk', 'list_sk', ['type', 'resource']],
      [indexes.reference]: ['ref_pk', 'ref_sk', 'KEYS_ONLY'],
      [indexes.changes]: ['changed_pk', 'pk', 'KEYS_ONLY'],
    });
    expect(delivery).toEqual({
      [indexes.due]: ['due_pk', 'due_at', ['ticket', 'parked', 'owner', 'event_id']],
      [indexes.attention]: ['att_pk', 'sk', 'ALL'],
      [indexes.failing]: ['failing_pk', 'failing_since', 'ALL'],
    });
    expect(credentials.GlobalSecondaryIndexes).toBeUndefined();
  });

  test('only the first of the three tables, the domain table, has a stream, with new and old images', () => {
    const streams = tables.map(({ Properties }) => Properties.StreamSpecification);

    expect(streams).toEqual([{ StreamViewType: 'NEW_AND_OLD_IMAGES' }, undefined, undefined]);
  });

  test('all three tables are billed on demand, have the keys pk and sk, expire rows by ttl and have point-in-time recovery', () => {
    expect(tables).toHaveLength(3);
    template.allResourcesProperties('AWS::DynamoDB::Table', {
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      KeySchema: [Match.objectLike({ AttributeName: 'pk' }), Match.objectLike({ AttributeName: 'sk' })],
    });
  });
});
