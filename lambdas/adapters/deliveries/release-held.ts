import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type DeliveryTicket, isHeld, storedDeliverySchema, ticketOf } from '../../domain/deliveries/delivery.ts';
import { releaseDelivery } from '../../domain/deliveries/transitions.ts';
import { executeStatements, updateStatement } from '../aws/statements.ts';
import { deliveryUpdate } from '../rows/delivery-row.ts';
import { attentionPk, indexes, SHARDS } from '../rows/table-keys.ts';

/** A webhook's held deliveries are spread over shards. `releasePage` releases at most this many from each shard. */
const PAGE_SIZE = 100;

export interface HeldDeliveries {
  /**
   * Releases one page of a webhook's held deliveries, which become due now. `requestedBy` is the id of the API request
   * that enabled the webhook, if a request did. Returns the tickets to send, and whether the webhook has more held
   * deliveries.
   */
  releasePage(
    webhookId: string,
    requestedBy: string | undefined,
    nowMs: number,
  ): Promise<{ tickets: DeliveryTicket[]; hasMore: boolean }>;
}

export const createHeldDeliveries = (
  client: DynamoDBClient,
  deliveryTable: string,
  retentionDays: number,
): HeldDeliveries => ({
  async releasePage(webhookId, requestedBy, nowMs) {
    const pages = await Promise.all(
      Array.from({ length: SHARDS }, (_, shard) =>
        client.send(
          new QueryCommand({
            TableName: deliveryTable,
            IndexName: indexes.attention,
            KeyConditionExpression: 'att_pk = :pk',
            ExpressionAttributeValues: marshall({ ':pk': attentionPk(webhookId, shard, 'held') }),
            Limit: PAGE_SIZE,
          }),
        ),
      ),
    );
    const changes = pages
      .flatMap(({ Items = [] }) => Items.map((item) => storedDeliverySchema.parse(unmarshall(item))))
      // Skips deliveries that are no longer held, because the index lags behind the table.
      .filter(isHeld)
      .map((before) => ({ before, after: releaseDelivery(before, nowMs) }));
    const outcomes = await executeStatements(
      client,
      changes.map((change) => updateStatement(deliveryTable, deliveryUpdate(change, retentionDays, { requestedBy }))),
    );
    const tickets = changes.filter((_, index) => outcomes[index] === 'done').map(({ after }) => ticketOf(after));
    return { tickets, hasMore: pages.some(({ LastEvaluatedKey }) => LastEvaluatedKey !== undefined) };
  },
});
