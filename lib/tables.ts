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
import { type IndexAttributes, indexAttributes, indexes } from '../lambdas/adapters/rows/key-names.ts';
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

const projection = ({ projects }: IndexAttributes) => {
  if (projects === 'everything') return { projectionType: ProjectionType.ALL };
  if (projects === 'keys only') return { projectionType: ProjectionType.KEYS_ONLY };
  return { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...projects] };
};

const addIndexes = (table: Table, names: readonly (keyof typeof indexes)[]): void => {
  for (const name of names) {
    const attributes = indexAttributes[name];
    const { partitionKey, sortKey, sortKeyType } = attributes;
    table.addGlobalSecondaryIndex({
      indexName: indexes[name],
      partitionKey: string(partitionKey),
      sortKey: sortKeyType === 'N' ? number(sortKey) : string(sortKey),
      ...projection(attributes),
    });
  }
};

/** Creates the domain table, which holds everything whose changes become events and therefore has a stream. */
export const domainTable = (scope: Construct, stage: StageConfig): Table => {
  const table = new Table(scope, 'domain-table', {
    ...common(scope, stage),
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
  });
  addIndexes(table, ['list', 'reference', 'changes']);
  return table;
};

/**
 * Creates the delivery table, for deliveries and what the engine stores about them. It is written far more often than
 * the domain table, and nothing reads its changes.
 */
export const deliveryTable = (scope: Construct, stage: StageConfig): Table => {
  const table = new Table(scope, 'delivery-table', common(scope, stage));
  addIndexes(table, ['due', 'attention', 'failing']);
  return table;
};

/**
 * Creates the credentials table, for accounts, API keys and the public keys of the keyring. The functions that deliver
 * have no permission on it, so code that runs in one of them cannot create an API key.
 */
export const credentialsTable = (scope: Construct, stage: StageConfig): Table =>
  new Table(scope, 'credentials-table', common(scope, stage));
