import { describe, expect, it } from 'vitest';
import { createLaneMemory, probeSpeed, type ReceiverSpeed } from '../../../lambdas/domain/sending/slow-lane.ts';

describe('the memory of a function instance', () => {
  it('trusts a quick webhook for 30 seconds, or until it is forgotten', () => {
    const memory = createLaneMemory();
    memory.rememberQuick('whk_1', 1000);
    memory.rememberQuick('whk_2', 1000);
    memory.forgetQuick('whk_2');

    const trusted = [memory.isQuick('whk_1', 30_999), memory.isQuick('whk_1', 31_000), memory.isQuick('whk_2', 1001)];

    expect(trusted).toEqual([true, false, false]);
  });
});

describe('probeSpeed', () => {
  const unknown: ReceiverSpeed = { isSlow: false, quickUntilMs: 0, probedUntilMs: 0 };

  /** Dependencies in which another instance publishes `result` at `atMs`. `isClaimed`: it holds the claim already. */
  const aWorld = (result: Partial<ReceiverSpeed> & { atMs?: number } = {}, isClaimed = false) => {
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
          receiverSpeed: async () => (nowMs >= (result.atMs ?? 0) ? { ...unknown, ...result } : unknown),
          markQuick: async () => undefined,
          markSlow: async () => undefined,
        },
      },
      waitedMs: () => nowMs - 10_000,
    };
  };

  it('claims the probe of an unknown webhook for a burst of requests', async () => {
    const { deps, claims } = aWorld();

    expect(await probeSpeed('whk_1', unknown, 3, deps)).toBe('probing');
    expect(claims).toEqual(['whk_1']);
  });

  it('claims nothing for one or two requests to an unknown webhook', async () => {
    const { deps, claims } = aWorld();

    expect(await probeSpeed('whk_1', unknown, 2, deps)).toBe('unknown');
    expect(claims).toEqual([]);
  });

  it.each([
    ['quick', { quickUntilMs: 99_000, atMs: 10_050 }, 60],
    ['slow', { isSlow: true, atMs: 10_100 }, 120],
    ['probed-elsewhere', {}, 200],
  ])('returns %s by the result of the instance that holds the claim', async (known, result, afterMs) => {
    const { deps, waitedMs } = aWorld(result, true);

    expect(await probeSpeed('whk_1', unknown, 3, deps)).toBe(known);
    expect(waitedMs()).toBe(afterMs);
  });

  it('waits for a running probe without a claim of its own, even for a single request', async () => {
    const { deps, claims } = aWorld({ quickUntilMs: 99_000 });

    expect(await probeSpeed('whk_1', { ...unknown, probedUntilMs: 12_000 }, 1, deps)).toBe('quick');
    expect(claims).toEqual([]);
  });

  it('does not wait for a probe that has been running for more than 200 ms', async () => {
    const { deps, waitedMs } = aWorld();

    expect(await probeSpeed('whk_1', { ...unknown, probedUntilMs: 11_800 }, 9, deps)).toBe('probed-elsewhere');
    expect(waitedMs()).toBe(0);
  });

  it('returns quick if any instance has seen a quick answer recently', async () => {
    const { deps } = aWorld();

    expect(await probeSpeed('whk_1', { ...unknown, quickUntilMs: 10_001 }, 9, deps)).toBe('quick');
    deps.memory.rememberQuick('whk_2', 9000);
    expect(await probeSpeed('whk_2', unknown, 9, deps)).toBe('quick');
  });
});
