import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { profileOf } from '../../lambdas/profiles/index.ts';
import { type Client, type Delivery, useWholeStack, type Webhook } from '../helpers/whole-stack.ts';

const SPEED = 3600;
/** With `LADDERS=full` Postmen's schedule runs to its end, which takes 135 s. */
const isFull = process.env.LADDERS === 'full';

/** Delay of each retry after its due time in milliseconds; a negative number is early. */
const latenessOf = ({ posts }: Webhook, { attempts }: Delivery, schedule: readonly number[]): number[] =>
  attempts.slice(1).map((_, index) => {
    // The due time is computed from the recorded attempt before it, not read from the row.
    const { started_at, duration_ms } = attempts[index] ?? { started_at: '', duration_ms: 0 };
    const dueMs = Date.parse(started_at) + duration_ms + ((schedule[index] ?? 0) * 1000) / SPEED;
    return Math.round((posts[index + 1]?.atMs ?? 0) - dueMs);
  });

describe('retry schedules in real time, one hour per second', () => {
  const whole = useWholeStack({ speed: SPEED, isDirect: true });

  /** Adds a webhook whose receiver refuses every request, and publishes one event to it. */
  const startSchedule = async (client: Client, profile: 'passmint' | 'postmen', type: string) => {
    const webhook = await client.addWebhook(() => 503, { profile, events: [type] });
    await client.publish(1, type);
    const { schedule } = profileOf(profile);
    return { webhook, schedule, delivery: async () => (await client.deliveries(webhook))[0] as Delivery };
  };

  it(
    'MT-7, PM-7: every attempt by PassMint’s and Postmen’s schedules is made within 2 s after its due time, never early',
    async () => {
      const client = await whole.newClient();
      const passmint = await startSchedule(client, 'passmint', 'pass.installed');
      const postmen = await startSchedule(client, 'postmen', 'calculate_rates');

      await client.settled(passmint.webhook, 1, 50_000);
      const requests = isFull ? 14 : 12;
      await vi.waitFor(() => expect(postmen.webhook.posts).toHaveLength(requests), { timeout: 120_000, interval: 100 });
      // An attempt too many would have arrived by now.
      await sleep(500);
      const dead = await passmint.delivery();
      const tried = await postmen.delivery();

      expect([dead.status, dead.attempts_made, passmint.webhook.posts.length]).toEqual(['dead', 7, 7]);
      expect([tried.status, tried.attempts_made]).toEqual([isFull ? 'dead' : 'failed', requests]);
      expect(postmen.webhook.posts).toHaveLength(requests);
      for (const { webhook, schedule, delivery } of [passmint, postmen]) {
        const lateness = latenessOf(webhook, await delivery(), schedule);
        if (isFull) process.stdout.write(`${webhook.id}: late by ${lateness.join(', ')} ms\n`);
        expect(Math.min(...lateness)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...lateness)).toBeLessThan(2000);
      }
    },
    isFull ? 200_000 : 60_000,
  );
});
