import { type DynamoDBClient, QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { countedHourSchema, type KnownHour, type StatsDependencies } from '../../domain/history/webhook-stats.ts';
import { createHourReader } from '../maintenance/hour-counts.ts';
import { rollUpProgressRow } from '../maintenance/roll-up-store.ts';
import { hourKey, hourOfKey } from '../rows/table-keys.ts';

/** Reads counted hours, and the delivery rows of hours that are not counted. */
export const createHourHistory = (client: DynamoDBClient, deliveryTable: string): StatsDependencies['hours'] => ({
  ...createHourReader(client, deliveryTable),

  async between(webhookId, fromMs, untilMs) {
    const { pk, sk: from } = hourKey(webhookId, fromMs);
    // Reads up to the last millisecond before `untilMs`, because BETWEEN includes both bounds.
    const { sk: to } = hourKey(webhookId, untilMs - 1);
    const hours: KnownHour[] = [];
    let start: QueryCommandOutput['LastEvaluatedKey'];
    do {
      const page: QueryCommandOutput = await client.send(
        new QueryCommand({
          TableName: deliveryTable,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
          ExpressionAttributeValues: marshall({ ':pk': pk, ':from': from, ':to': to }),
          ExclusiveStartKey: start,
        }),
      );
      for (const row of (page.Items ?? []).map((item) => unmarshall(item))) {
        const { startMs } = hourOfKey(row);
        const counted = row.counted_at === undefined ? null : countedHourSchema.parse(row);
        hours.push({ startMs, counted, isFinal: counted !== null && row.due_pk === undefined });
      }
      start = page.LastEvaluatedKey;
    } while (start);
    return hours;
  },

  readUntilMs: async () => (await rollUpProgressRow(client, deliveryTable).read())?.progress.hourMs ?? null,
});
