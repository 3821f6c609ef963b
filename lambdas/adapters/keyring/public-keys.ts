import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { PassPostError } from '../../domain/foundation/errors.ts';
import { type PublicKeys, publicKeysSchema } from '../../domain/keyring/keyring.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { publicKeysKey } from '../rows/table-keys.ts';
import { createRefreshingCache } from './refreshing-cache.ts';

const FRESH_MS = 5 * 60_000;

/**
 * Reads the public part of the keyring from the credentials table, at most once in five minutes. An older key stays valid
 * for sealing after a newer key was added. `read` throws `unavailable` if the deployment has no keys.
 */
export const createPublicKeys = (client: DynamoDBClient, credentialsTable: string, clock: () => number) => {
  const readRow = async (): Promise<PublicKeys> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: credentialsTable, Key: marshall(publicKeysKey) }),
    );
    if (!Item) throw new PassPostError('unavailable', 'This deployment has no keys. Please try again later.');
    return publicKeysSchema.parse(unmarshall(Item));
  };

  const keys = createRefreshingCache(readRow, clock);
  return { read: (): Promise<PublicKeys> => keys.getFresh(FRESH_MS) };
};

/**
 * Writes the public keys unless the row has a newer revision: of two concurrent writes, the last may carry older keys.
 */
export const putPublicKeys = async (
  client: DynamoDBClient,
  credentialsTable: string,
  keys: PublicKeys,
): Promise<void> => {
  const row = { ...publicKeysKey, kind: 'public-keys', ...keys };
  await nullIfRefused(
    client.send(
      new PutItemCommand({
        TableName: credentialsTable,
        Item: marshall(row),
        ConditionExpression: 'attribute_not_exists(revision) OR revision <= :revision',
        ExpressionAttributeValues: marshall({ ':revision': keys.revision }),
      }),
    ),
  );
};
