import { describe, expect, it, vi } from 'vitest';
import { useWholeStack } from '../helpers/whole-stack.ts';

const SOON = { timeout: 10_000 };
const HOUR_AND_A_QUARTER_MS = 75 * 60_000;

// The roll-up's ticks are ahead of time here, which they never are elsewhere: so this file's stack is its own.
describe('the roll-up', () => {
  const whole = useWholeStack({});

  it('finds first attempts whose messages were all lost, and what is held for nobody', async () => {
    const client = await whole.newClient();
    const webhooks = [await client.addWebhook(() => 200), await client.addWebhook(() => 200)];
    let lost = 0;
    const losing = whole.faults.order({ functionName: 'fan-out', operation: 'SendMessageBatch' }, async ({ input }) => {
      const taken = input.Entries as readonly { readonly Id: string }[];
      lost += taken.length;
      return { status: 200, body: { Successful: taken.map(({ Id }) => ({ Id, MessageId: Id })) } };
    });
    await client.publish(20);
    await vi.waitFor(() => expect(lost).toBe(40), SOON);
    losing.end();
    const gone = await client.addWebhook(() => 200, { enabled: false, events: ['task.created'] });
    await client.publish(1, 'task.created');
    const held = await vi.waitFor(async () => {
      const [delivery] = await client.deliveries(gone);
      expect(delivery?.status).toBe('held');
      return delivery;
    }, SOON);
    await client.call('DELETE', `/webhooks/${gone.id}`);
    const before = webhooks.map(({ posts }) => posts.length);

    await whole.stack.tick(new Date(Date.now() + HOUR_AND_A_QUARTER_MS));

    expect(before).toEqual([0, 0]);
    for (const webhook of webhooks) {
      expect(await client.listedSettled(webhook, 20)).toHaveLength(20);
      expect(webhook.posts).toHaveLength(20);
    }
    await vi.waitFor(async () => {
      const { body } = await client.call('GET', `/deliveries/${held?.id}`);
      expect(body).toMatchObject({ status: 'cancelled', settled_at: expect.any(String) });
    }, SOON);
  });
});
