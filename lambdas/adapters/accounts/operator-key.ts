import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { OperatorKey } from '../../domain/keyring/key-material.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { apiKeyKey } from '../rows/table-keys.ts';

/** Writes the row of the operator's API key unless the row exists. The key is in no account's list of keys. */
export const addOperatorKey = async (
  client: DynamoDBClient,
  credentialsTable: string,
  { hash, ...key }: OperatorKey,
): Promise<void> => {
  const row = { ...apiKeyKey(hash), kind: 'api-key', ...key };
  await nullIfRefused(
    client.send(
      new PutItemCommand({
        TableName: credentialsTable,
        Item: marshall(row),
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    ),
  );
};
