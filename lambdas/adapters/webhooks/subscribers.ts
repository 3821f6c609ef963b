import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { StoredEvent } from '../../domain/events/event.ts';
import type { Subscriber } from '../../domain/fan-out/fan-out.ts';
import { batchGet } from '../aws/batch-get.ts';
import { routingKey } from '../rows/table-keys.ts';

const EVERYTHING = '*';

const wantingFrom = (row: Record<string, unknown> | null): Subscriber[] =>
  [...((row?.webhooks as Set<string> | undefined) ?? [])].map((entry) => {
    const [webhookId = '', resource = ''] = entry.split(/\|(.*)/s);
    return { webhookId, resource: resource === '' ? null : resource };
  });

/** Who wants each event's type, in the events' order: all of it in one call, as it is now. */
export const createSubscriberLookup =
  (client: DynamoDBClient, domainTable: string, isOperational: (type: string) => boolean) =>
  async (events: readonly Pick<StoredEvent, 'owner' | 'type'>[]): Promise<Subscriber[][]> => {
    const keysOf = ({ owner, type }: Pick<StoredEvent, 'owner' | 'type'>) => [
      routingKey(owner, type),
      ...(isOperational(type) ? [] : [routingKey(owner, EVERYTHING)]),
    ];
    const find = await batchGet(
      client,
      events.flatMap(keysOf).map((key) => ({ table: domainTable, key, isConsistent: true })),
    );
    return events.map((event) => keysOf(event).flatMap((key) => wantingFrom(find(domainTable, key))));
  };
