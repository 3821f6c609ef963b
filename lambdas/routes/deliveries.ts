import * as operations from '../contract/deliveries.ts';
import { ownerKey } from '../domain/owner.ts';
import { pageToBody } from '../domain/page.ts';
import { type DeliveriesOfWebhook, listDeliveries, type OneDelivery, readDelivery } from '../domain/read-deliveries.ts';
import { type Route, route } from '../runtime/operation.ts';

/** The calls about deliveries. */
export const deliveryRoutes = (dependencies: DeliveriesOfWebhook & OneDelivery): Route[] => [
  route(operations.listDeliveries, async ({ owner, params, query: { limit, cursor, ...filter }, nowMs }) => {
    const which = { owner: ownerKey(owner), webhookId: params.id ?? '', filter };
    const page = await listDeliveries({ ...which, limit, after: cursor ?? null, nowMs }, dependencies);
    return { status: 200, body: pageToBody(page, (delivery) => delivery) };
  }),

  route(operations.getDelivery, async ({ owner, params, nowMs }) => {
    const which = { owner: ownerKey(owner), id: params.id ?? '', nowMs };
    return { status: 200, body: await readDelivery(which, dependencies) };
  }),
];
