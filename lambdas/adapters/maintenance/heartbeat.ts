import { DeleteItemCommand, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { heartbeatKey } from '../rows/table-keys.ts';

/**
 * Puts a row into the domain table and takes it away. That it went passes the stream, so the fan-out is started even where
 * nothing else happens, and not being started is a sign. It has no new image: no release takes it for a change.
 */
export const createHeartbeat = (client: DynamoDBClient, domainTable: string) => async (): Promise<void> => {
  const row = { TableName: domainTable, Key: marshall(heartbeatKey) };
  await client.send(new PutItemCommand({ TableName: row.TableName, Item: row.Key }));
  await client.send(new DeleteItemCommand(row));
};
