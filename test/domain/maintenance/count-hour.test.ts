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

interface Found {
  readonly delivery: StoredDelivery;
  readonly isInDueIndex: boolean;
}
const aDelivery = (over: Partial<StoredDelivery> = {}, isInDueIndex = false): Found => ({
  delivery: { ...newDelivery(anEvent({}, START_MS), webhookId), ...over },
  isInDueIndex,
});

/** The ids of what is sent again when an hour with these deliveries is read so long after its start. */
const sentAgain = async (found: readonly Found[], afterMs: number, speed = 1): Promise<string[]> => {
  const sent: DeliveryTicket[] = [];
  const nobody = async () => ({ tickets: [], hasMore: false });
  const store: CountHourStore = {
    read: async () => ({ found, next: null }),
    put: async () => {},
    close: async () => {},
    webhook: async () => null,
    releasePage: nobody,
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

describe('an hour that is read', () => {
  it('has those sent again that nothing else stands for', async () => {
    const lost = aDelivery();
    const others = [
      aDelivery({ status: 'pending', ticket: 2 }, true),
      aDelivery({ status: 'failed', ticket: 2 }, true),
      aDelivery({ status: 'held', ticket: 2 }),
      aDelivery({ status: 'delivered', ticket: 2 }),
    ];

    expect(await sentAgain([lost, ...others], 75 * MINUTE)).toEqual([lost.delivery.id]);
  });

  it('leaves alone what was due within the last quarter of an hour', async () => {
    const late = aDelivery({ due_at: START_MS + 61 * MINUTE });

    expect(await sentAgain([late], 75 * MINUTE)).toEqual([]);
    expect(await sentAgain([late], 76 * MINUTE)).toEqual([late.delivery.id]);
  });

  it('grants a request its time however fast the schedules run', async () => {
    const delivery = aDelivery();

    expect(await sentAgain([delivery], 11_000, 3600)).toEqual([]);
    expect(await sentAgain([delivery], 12_000, 3600)).toEqual([delivery.delivery.id]);
  });
});
