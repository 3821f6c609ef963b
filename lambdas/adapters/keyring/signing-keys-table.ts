import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type { SigningAlg } from '../../domain/deliveries/profile.ts';
import type { NewSigningKeys } from '../../domain/keyring/provide-signing-key.ts';
import type { RotatingSigningKeys, SigningKeysChange } from '../../domain/keyring/rotate-signing-keys.ts';
import {
  type StoredSigningKeys,
  signingKeyViewSchema,
  storedSigningKeysSchema,
} from '../../domain/keyring/signing-keys.ts';
import { nullIfRefused } from '../aws/conditional-write.ts';
import { putFirstAnswer, readFirstAnswer } from '../aws/first-answers.ts';
import { changeTogether } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { signingKeysToRow } from '../rows/signing-keys-row.ts';
import { signingKeysKey } from '../rows/table-keys.ts';

const ROTATION_PATH = '/signing-keys/rotate';
const answerSchema = z.object({ data: z.array(signingKeyViewSchema) });

const IS_NEW = 'attribute_not_exists(pk)';

/** Reads an owner's signing keys of one algorithm from the domain table. Returns null if there are none. */
export const readSigningKeys = async (
  client: DynamoDBClient,
  table: string,
  owner: string,
  alg: SigningAlg,
): Promise<StoredSigningKeys | null> => {
  const Key = marshall(signingKeysKey(owner, alg));
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
  return Item ? storedSigningKeysSchema.parse(unmarshall(Item)) : null;
};

/** Reads all signing keys of an owner from the domain table, one item for each algorithm. */
export const listSigningKeys = async (
  client: DynamoDBClient,
  table: string,
  owner: string,
): Promise<readonly StoredSigningKeys[]> => {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: marshall({ ':pk': signingKeysKey(owner, '').pk }),
      ConsistentRead: true,
    }),
  );
  return Items.map((item) => storedSigningKeysSchema.parse(unmarshall(item)));
};

/** Stores the signing keys of accounts in the domain table, in one row for each owner and algorithm. */
export const createSigningKeysTable = (client: DynamoDBClient, table: string): NewSigningKeys & RotatingSigningKeys => {
  const putChange = ({ before, after }: SigningKeysChange): TransactWriteItem => ({
    Put: {
      TableName: table,
      Item: marshall(signingKeysToRow(after)),
      ...(before === null
        ? { ConditionExpression: IS_NEW }
        : {
            ConditionExpression: '#version = :version',
            ExpressionAttributeNames: { '#version': 'version' },
            ExpressionAttributeValues: marshall({ ':version': before.version }),
          }),
    },
  });

  return {
    find: (owner, alg) => readSigningKeys(client, table, owner, alg),
    list: (owner) => listSigningKeys(client, table, owner),

    async add(keys) {
      const Item = marshall(signingKeysToRow(keys));
      const put = client.send(new PutItemCommand({ TableName: table, Item, ConditionExpression: IS_NEW }));
      return (await nullIfRefused(put)) !== null;
    },

    firstRotation: (owner, idempotencyKey, nowMs) =>
      readFirstAnswer(client, table, { scope: owner, path: ROTATION_PATH, idempotencyKey }, answerSchema.parse, nowMs),

    async replace(changes, entry, firstAnswer, nowMs) {
      const items = [...changes.map(putChange), putAuditEntry(table, entry)];
      if (firstAnswer !== null) {
        const [{ after } = { after: { owner: '' } }] = changes;
        const { idempotencyKey } = firstAnswer;
        items.push(
          putFirstAnswer(table, { scope: after.owner, path: ROTATION_PATH, idempotencyKey }, firstAnswer, nowMs),
        );
      }
      return changeTogether(client, items);
    },
  };
};
