import { describe, expect, it } from 'vitest';
import {
  createLaneMemory,
  probeSpeed,
  type ReceiverSpeed,
  startGroup,
} from '../../../lambdas/domain/sending/slow-lane.ts';

describe('a webhook’s requests of one batch', () => {
  const options = { isTrusted: false, slowAfterMs: 20, onSlow: async () => undefined };

  it('asks an unknown webhook twice, and all at once when both are answered in time', async () => {
    const started: number[] = [];

    const outcome = await startGroup([1, 2, 3, 4], options, async (item) => {
      started.push(item);
      await Promise.resolve();
    });

    expect(outcome).toBe(true);
    expect(started).toEqual([1, 2, 3, 4]);
  });

  it('leaves the rest when the first two stall, and hands it on while they still run', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const started: number[] = [];
    const handedOn: number[] = [];
    const onSlow = async (left: readonly number[]) => {
      handedOn.push(...left);
      resolve();
    };

    const outcome = await startGroup([1, 2, 3, 4], { ...options, onSlow }, async (item) => {
      started.push(item);
      await promise;
    });

    expect(outcome).toBe(false);
    expect(handedOn).toEqual([3, 4]);
    expect(started).toEqual([1, 2]);
  });

  it('starts everything for one that is trusted', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const started: number[] = [];

    const outcome = startGroup([1, 2, 3], { ...options, isTrusted: true }, async (item) => {
      started.push(item);
      await promise;
    });

    expect(started).toEqual([1, 2, 3]);
    resolve();
    expect(await outcome).toBe(true);
  });

  it('trusts a quick answer for half a minute, and a slow one ends it', () => {
    const memory = createLaneMemory();
    memory.noteQuick('whk_1', 1000);
    memory.noteQuick('whk_2', 1000);
    memory.noteSlow('whk_2');

    const trusted = [memory.isQuick('whk_1', 30_999), memory.isQuick('whk_1', 31_000), memory.isQuick('whk_2', 1001)];

    expect(trusted).toEqual([true, false, false]);
  });
});

describe('what is known of a webhook', () => {
  const unknown: ReceiverSpeed = { isSlow: false, quickUntilMs: 0, probedUntilMs: 0 };

  /** A world in which somebody says of the webhook what is given, at that time. */
  const aWorld = (said: Partial<ReceiverSpeed> & { atMs?: number } = {}, isClaimed = false) => {
    let nowMs = 10_000;
    const claims: string[] = [];
    return {
      claims,
      deps: {
        memory: createLaneMemory(),
        clock: () => nowMs,
        wait: async (ms: number) => {
          nowMs += ms;
        },
        store: {
          claimProbe: async (webhookId: string) => {
            claims.push(webhookId);
            return !isClaimed;
          },
          receiverSpeed: async () => (nowMs >= (said.atMs ?? 0) ? { ...unknown, ...said } : unknown),
          noteQuick: async () => undefined,
          markSlow: async () => undefined,
        },
      },
      waitedMs: () => nowMs - 10_000,
    };
  };

  it('is for one instance to find out when a burst comes', async () => {
    const { deps, claims } = aWorld();

    expect(await probeSpeed('whk_1', unknown, 3, deps)).toBe('probing');
    expect(claims).toEqual(['whk_1']);
  });

  it('is nothing, and costs nothing, for one or two requests', async () => {
    const { deps, claims } = aWorld();

    expect(await probeSpeed('whk_1', unknown, 2, deps)).toBe('unknown');
    expect(claims).toEqual([]);
  });

  it.each([
    ['quick', { quickUntilMs: 99_000, atMs: 10_050 }, 60],
    ['slow', { isSlow: true, atMs: 10_100 }, 120],
    ['probed-elsewhere', {}, 200],
  ])('is %s by what the one that asks says, or has not said yet', async (known, said, afterMs) => {
    const { deps, waitedMs } = aWorld(said, true);

    expect(await probeSpeed('whk_1', unknown, 3, deps)).toBe(known);
    expect(waitedMs()).toBe(afterMs);
  });

  it('waits for who is asking already, without a claim of its own, for one request too', async () => {
    const { deps, claims } = aWorld({ quickUntilMs: 99_000 });

    expect(await probeSpeed('whk_1', { ...unknown, probedUntilMs: 12_000 }, 1, deps)).toBe('quick');
    expect(claims).toEqual([]);
  });

  it('is not waited for when the one that asks has been at it for long', async () => {
    const { deps, waitedMs } = aWorld();

    expect(await probeSpeed('whk_1', { ...unknown, probedUntilMs: 11_800 }, 9, deps)).toBe('probed-elsewhere');
    expect(waitedMs()).toBe(0);
  });

  it('is quick where any instance has seen that of late', async () => {
    const { deps } = aWorld();

    expect(await probeSpeed('whk_1', { ...unknown, quickUntilMs: 10_001 }, 9, deps)).toBe('quick');
    deps.memory.noteQuick('whk_2', 9000);
    expect(await probeSpeed('whk_2', unknown, 9, deps)).toBe('quick');
  });
});
