import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { routingKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { Tables } from './tables.ts';

/** Adds entries (`whk_…|resource`) to the routing row of an event type, where the fan-out finds the webhooks for it. */
export const putRouting = (
  tables: Tables,
  owner: string,
  type: string,
  entries: readonly string[],
  customer: string | null = null,
) =>
  tables.client.send(
    new UpdateItemCommand({
      TableName: tables.domainTable,
      Key: marshall(routingKey(owner, type, customer)),
      UpdateExpression: 'ADD webhooks :entries',
      ExpressionAttributeValues: { ':entries': { SS: [...entries] } },
    }),
  );
