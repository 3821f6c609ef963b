import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type DeliveryTicket, storedDeliverySchema, ticketOf } from '../../domain/deliveries/delivery.ts';
import { releaseDelivery } from '../../domain/deliveries/transitions.ts';
import { executeStatements, updateStatement } from '../aws/statements.ts';
import { attentionPk, attentionPkOf, deliveryKey, duePkOf, indexes, SHARDS } from '../rows/table-keys.ts';

/** So many held deliveries of each shard are let go in one round. */
const HELD_AT_ONCE = 100;

/** Lets some of a webhook's held deliveries go on, as a request asked, where one did. Answers what now awaits its message, and whether more are held. */
export const createHeldReleaser =
  (client: DynamoDBClient, deliveryTable: string) =>
  async (
    webhookId: string,
    requestedBy: string | undefined,
    nowMs: number,
  ): Promise<{ tickets: DeliveryTicket[]; hasMore: boolean }> => {
    const pages = await Promise.all(
      Array.from({ length: SHARDS }, (_, shard) =>
        client.send(
          new QueryCommand({
            TableName: deliveryTable,
            IndexName: indexes.attention,
            KeyConditionExpression: 'att_pk = :pk',
            ExpressionAttributeValues: marshall({ ':pk': attentionPk(webhookId, shard, 'held') }),
            Limit: HELD_AT_ONCE,
          }),
        ),
      ),
    );
    const held = pages
      .flatMap(({ Items = [] }) => Items.map((item) => storedDeliverySchema.parse(unmarshall(item))))
      .filter(({ status }) => status === 'held');
    const resumed = held.map((delivery) => releaseDelivery(delivery, nowMs));
    const outcomes = await executeStatements(
      client,
      resumed.map((after, index) =>
        updateStatement(
          deliveryTable,
          deliveryKey(after.id),
          {
            status: after.status,
            ticket: after.ticket,
            trigger: after.trigger,
            due_at: after.due_at,
            due_pk: duePkOf(after.id),
            att_pk: attentionPkOf(after.id, after.status),
            requested_by: requestedBy,
          },
          { ticket: held[index]?.ticket },
        ),
      ),
    );
    const tickets = resumed.filter((_, index) => outcomes[index] === 'done').map(ticketOf);
    return { tickets, hasMore: pages.some(({ LastEvaluatedKey }) => LastEvaluatedKey !== undefined) };
  };
