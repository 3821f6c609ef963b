import { describe, expect, it } from 'vitest';
import { deliveryId } from '../../../lambdas/domain/foundation/id.ts';
import { deliveriesOfEvent } from '../../../lambdas/domain/history/read-deliveries.ts';
import { anEvent, aWebhook } from '../../helpers/virtual-engine.ts';

const EVENT_MS = Date.UTC(2026, 10, 20);

describe('the deliveries of an event', () => {
  it('are looked up for webhooks that are alive or were deleted after the event, and not for 1,000 that were deleted an hour before', async () => {
    const event = anEvent({ owner: 'acc_1#live' }, EVENT_MS);
    const deletedAt = (ms: number) => aWebhook({ deleted_at: new Date(ms).toISOString() }, EVENT_MS);
    const alive = aWebhook({}, EVENT_MS);
    const deletedAfter = deletedAt(EVENT_MS + 1000);
    const deletedBefore = Array.from({ length: 1000 }, () => deletedAt(EVENT_MS - 3_600_000));
    const lookups: (readonly string[])[] = [];

    await deliveriesOfEvent(event, null, EVENT_MS + 5000, {
      history: {
        async find(ids) {
          lookups.push(ids);
          return [];
        },
      },
      webhooks: { listAny: async () => [alive, deletedAfter, ...deletedBefore] },
      scheduleOf: () => [],
    });

    expect(lookups).toEqual([[alive, deletedAfter].map(({ id }) => deliveryId(EVENT_MS, event.id, id))]);
  });
});
