import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { PassPostError } from '../../domain/foundation/errors.ts';
import { type PublicKeys, publicKeysSchema } from '../../domain/keyring/keyring.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { publicKeysKey } from '../rows/table-keys.ts';

const FRESH_MS = 5 * 60_000;

/** Reads the keyring's public part from the delivery table, at most every five minutes: a key stays good for sealing after a newer one came. */
export const createPublicKeys = (
  client: DynamoDBClient,
  deliveryTable: string,
  clock: () => number,
): (() => Promise<PublicKeys>) => {
  let kept: { readonly keys: Promise<PublicKeys>; readonly readAtMs: number } | null = null;

  const read = async (): Promise<PublicKeys> => {
    const { Item } = await client.send(new GetItemCommand({ TableName: deliveryTable, Key: marshall(publicKeysKey) }));
    if (!Item) throw new PassPostError('unavailable', 'This deployment has no keys yet.');
    return publicKeysSchema.parse(unmarshall(Item));
  };

  return () => {
    if (kept !== null && clock() - kept.readAtMs < FRESH_MS) return kept.keys;
    const keys = read();
    const keeping = { keys, readAtMs: clock() };
    kept = keeping;
    // A failed read is not kept.
    keys.catch(() => {
      if (kept === keeping) kept = null;
    });
    return keys;
  };
};

/** Puts them there, unless newer ones are: of two that publish at once, the later may be the older. */
export const putPublicKeys = async (client: DynamoDBClient, deliveryTable: string, keys: PublicKeys): Promise<void> => {
  const row = { ...publicKeysKey, kind: 'public-keys', ...keys };
  await nullIfRefused(
    client.send(
      new PutItemCommand({
        TableName: deliveryTable,
        Item: marshall(row),
        ConditionExpression: 'attribute_not_exists(revision) OR revision <= :revision',
        ExpressionAttributeValues: marshall({ ':revision': keys.revision }),
      }),
    ),
  );
};
