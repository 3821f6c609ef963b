import { describe, expect, it } from 'vitest';
import type { DeliveryTicket, StoredDelivery } from '../../../lambdas/domain/deliveries/delivery.ts';
import { newDelivery } from '../../../lambdas/domain/deliveries/delivery.ts';
import { drawId } from '../../../lambdas/domain/foundation/id.ts';
import { type CountHourStore, countHour } from '../../../lambdas/domain/maintenance/count-hour.ts';
import { hourAt } from '../../../lambdas/domain/maintenance/hour.ts';
import { anEvent } from '../../helpers/virtual-engine.ts';

const START_MS = Date.UTC(2026, 10, 1, 9);
const MINUTE = 60_000;
const webhookId = drawId('whk', START_MS);

interface HourRow {
  readonly delivery: StoredDelivery;
  readonly isInDueIndex: boolean;
}
const aDelivery = (over: Partial<StoredDelivery> = {}, isInDueIndex = false): HourRow => ({
  delivery: { ...newDelivery(anEvent({}, START_MS), webhookId), ...over },
  isInDueIndex,
});

/** Ids of the deliveries that get another message if an hour with these rows is read `afterMs` after its start. */
const resentIds = async (found: readonly HourRow[], afterMs: number, speed = 1): Promise<string[]> => {
  const sent: DeliveryTicket[] = [];
  const noPage = async () => ({ tickets: [], hasMore: false });
  const store: CountHourStore = {
    read: async () => ({ found, next: null }),
    put: async () => {},
    close: async () => {},
    webhook: async () => null,
    releasePage: noPage,
  };
  const queue = { send: async (tickets: readonly DeliveryTicket[]) => void sent.push(...tickets) };
  const nowMs = START_MS + afterMs;
  await countHour(
    { owner: '', webhookId, startMs: START_MS, isAgain: false, read: null },
    hourAt(START_MS, speed),
    nowMs,
    { store, queue, clock: () => nowMs, speed, retentionHours: 720 },
    { hours: 0, resent: 0, resumed: 0 },
    () => false,
  );
  return sent.map(({ deliveryId }) => deliveryId);
};

describe('countHour', () => {
  it('75 minutes after the start of an hour, resends of five deliveries only the pending one that is not in the due index', async () => {
    const lost = aDelivery();
    const others = [
      aDelivery({ status: 'pending', ticket: 2 }, true),
      aDelivery({ status: 'failed', ticket: 2 }, true),
      aDelivery({ status: 'held', ticket: 2 }),
      aDelivery({ status: 'delivered', ticket: 2 }),
    ];

    expect(await resentIds([lost, ...others], 75 * MINUTE)).toEqual([lost.delivery.id]);
  });

  it('resends a delivery that fell due 15 minutes ago, but not a delivery that fell due 14 minutes ago', async () => {
    const late = aDelivery({ due_at: START_MS + 61 * MINUTE });

    expect(await resentIds([late], 75 * MINUTE)).toEqual([]);
    expect(await resentIds([late], 76 * MINUTE)).toEqual([late.delivery.id]);
  });

  it('at schedule speed 3600, resends a delivery 12 s (the longest request) after its due time, but not after 11 s', async () => {
    const delivery = aDelivery();

    expect(await resentIds([delivery], 11_000, 3600)).toEqual([]);
    expect(await resentIds([delivery], 12_000, 3600)).toEqual([delivery.delivery.id]);
  });
});
