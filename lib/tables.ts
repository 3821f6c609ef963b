import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
  type TableProps,
} from 'aws-cdk-lib/aws-dynamodb';
import { RemovalPolicy } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { customerKey } from './customer-key.ts';
import type { StageConfig } from './stage-config.ts';

const string = (name: string) => ({ name, type: AttributeType.STRING });
const number = (name: string) => ({ name, type: AttributeType.NUMBER });

const common = (scope: Construct, stage: StageConfig): TableProps => {
  const encryptionKey = customerKey(scope, stage);
  return {
    partitionKey: string('pk'),
    sortKey: string('sk'),
    billingMode: BillingMode.PAY_PER_REQUEST,
    timeToLiveAttribute: 'ttl',
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: stage.retainsData,
    removalPolicy: stage.retainsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    ...(encryptionKey ? { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey } : {}),
  };
};

/** Things whose change means something to others: it has the stream. */
export const domainTable = (scope: Construct, stage: StageConfig): Table => {
  const table = new Table(scope, 'domain-table', {
    ...common(scope, stage),
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
  });
  table.addGlobalSecondaryIndex({
    indexName: 'list',
    partitionKey: string('list_pk'),
    sortKey: string('list_sk'),
    projectionType: ProjectionType.INCLUDE,
    nonKeyAttributes: ['type', 'resource'],
  });
  table.addGlobalSecondaryIndex({
    indexName: 'reference',
    partitionKey: string('ref_pk'),
    sortKey: string('ref_sk'),
    projectionType: ProjectionType.KEYS_ONLY,
  });
  return table;
};

/** Deliveries and keys: written far more often, and nobody waits for their changes. */
export const deliveryTable = (scope: Construct, stage: StageConfig): Table => {
  const table = new Table(scope, 'delivery-table', common(scope, stage));
  table.addGlobalSecondaryIndex({
    indexName: 'due',
    partitionKey: string('due_pk'),
    sortKey: number('due_at'),
    projectionType: ProjectionType.INCLUDE,
    nonKeyAttributes: ['ticket', 'parked', 'owner', 'event_id'],
  });
  table.addGlobalSecondaryIndex({
    indexName: 'attention',
    partitionKey: string('att_pk'),
    sortKey: string('sk'),
    projectionType: ProjectionType.ALL,
  });
  table.addGlobalSecondaryIndex({
    indexName: 'failing',
    partitionKey: string('failing_pk'),
    sortKey: number('failing_since'),
    projectionType: ProjectionType.ALL,
  });
  return table;
};
