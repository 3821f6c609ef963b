import { DeleteItemCommand, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { heartbeatKey } from '../rows/table-keys.ts';

/**
 * `beat` writes a row into the domain table and deletes it. The deletion passes the stream and starts the fan-out even
 * when nothing else changes, so a fan-out that is not started is a sign of a fault. A deletion has no new image, so no
 * release treats it as a change.
 */
export const createHeartbeat = (client: DynamoDBClient, domainTable: string) => ({
  async beat(): Promise<void> {
    const row = { TableName: domainTable, Key: marshall(heartbeatKey) };
    await client.send(new PutItemCommand({ TableName: row.TableName, Item: row.Key }));
    await client.send(new DeleteItemCommand(row));
  },
});
