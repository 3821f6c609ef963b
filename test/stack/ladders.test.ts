import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { profileOf } from '../../lambdas/profiles/index.ts';
import { type Client, type Delivery, useWholeStack, type Webhook } from '../helpers/whole-stack.ts';

const SPEED = 3600;
/** With `LADDERS=full` Postmen's runs to its end, which takes two minutes and a quarter. */
const isFull = process.env.LADDERS === 'full';

/** How long after their due times the requests of a ladder came, in milliseconds; negative is early. */
const latenessOf = ({ posts }: Webhook, { attempts }: Delivery, schedule: readonly number[]): number[] =>
  attempts.slice(1).map((_, index) => {
    // From what was recorded of the one before, not from what the row said would be due.
    const { started_at, duration_ms } = attempts[index] ?? { started_at: '', duration_ms: 0 };
    const dueMs = Date.parse(started_at) + duration_ms + ((schedule[index] ?? 0) * 1000) / SPEED;
    return Math.round((posts[index + 1]?.atMs ?? 0) - dueMs);
  });

describe('ladders in real time, an hour in a second', () => {
  const whole = useWholeStack({ speed: SPEED, isDirect: true });

  /** The only delivery of a webhook whose receiver refuses everything. */
  const begin = async (client: Client, profile: 'passmint' | 'postmen', type: string) => {
    const webhook = await client.addWebhook(() => 503, { profile, events: [type] });
    await client.publish(1, type);
    const { schedule } = profileOf(profile);
    return { webhook, schedule, delivery: async () => (await client.deliveries(webhook))[0] as Delivery };
  };

  it(
    'MT-7, PM-7: every attempt of PassMint’s and Postmen’s comes when it is due, side by side, never early',
    async () => {
      const client = await whole.newClient();
      const passmint = await begin(client, 'passmint', 'pass.installed');
      const postmen = await begin(client, 'postmen', 'calculate_rates');

      await client.settled(passmint.webhook, 1, 50_000);
      const requests = isFull ? 14 : 12;
      await vi.waitFor(() => expect(postmen.webhook.posts).toHaveLength(requests), { timeout: 120_000, interval: 100 });
      // One attempt too many would come by now.
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
