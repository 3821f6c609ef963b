import { marshall } from '@aws-sdk/util-dynamodb';
import { createFanOutStore } from '../../lambdas/adapters/fan-out/fan-out-store.ts';
import { imageToChange } from '../../lambdas/adapters/fan-out/stream-record.ts';
import type { DeliveryTicket } from '../../lambdas/domain/deliveries/delivery.ts';
import { fanOut } from '../../lambdas/domain/fan-out/fan-out.ts';
import type { Tables } from './tables.ts';

/** Gives a row of the domain table to the fan-out, as the stream does. Returns the tickets sent to the deliveries queue. */
export const fanOutRow = async (tables: Tables, row: Record<string, unknown> | undefined) => {
  const sent: DeliveryTicket[] = [];
  const queue = { send: async (tickets: readonly DeliveryTicket[]) => void sent.push(...tickets) };
  const names = { domain: tables.domainTable, delivery: tables.deliveryTable };
  const store = createFanOutStore(tables.client, names, 30, (type) => type.startsWith('webhook.'));
  const change = imageToChange(marshall(row ?? {}));
  if (change) await fanOut([change], { store, queue, clock: Date.now }, () => false);
  return sent;
};
