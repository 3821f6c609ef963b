import { describe, expect, it } from 'vitest';
import { createLaneMemory, probeSpeed, type ReceiverSpeed } from '../../../lambdas/domain/sending/slow-lane.ts';

describe('createLaneMemory', () => {
  it('isQuick is true 29.999 s after rememberQuick, false after 30 s, and false after forgetQuick', () => {
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

  /**
   * Dependencies at the time 10,000 ms, in which another instance publishes `result` at `atMs`. `isClaimed`: the other
   * instance holds the claim already.
   */
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

  it('claims the probe once and returns probing for 3 requests to a webhook of unknown speed', async () => {
    const { deps, claims } = aWorld();

    expect(await probeSpeed('whk_1', unknown, 3, deps)).toBe('probing');
    expect(claims).toEqual(['whk_1']);
  });

  it('claims nothing and returns unknown for 2 requests to a webhook of unknown speed', async () => {
    const { deps, claims } = aWorld();

    expect(await probeSpeed('whk_1', unknown, 2, deps)).toBe('unknown');
    expect(claims).toEqual([]);
  });

  it.each([
    ['quick after 60 ms if quick is published after 50 ms', 'quick', { quickUntilMs: 99_000, atMs: 10_050 }, 60],
    ['slow after 120 ms if slow is published after 100 ms', 'slow', { isSlow: true, atMs: 10_100 }, 120],
    ['probed-elsewhere after 200 ms if no result is published', 'probed-elsewhere', {}, 200],
  ])('for 3 requests while another instance holds the claim, returns %s', async (_case, known, result, afterMs) => {
    const { deps, waitedMs } = aWorld(result, true);

    expect(await probeSpeed('whk_1', unknown, 3, deps)).toBe(known);
    expect(waitedMs()).toBe(afterMs);
  });

  it('for 1 request while another instance probes the webhook, claims nothing and returns quick when quick is published', async () => {
    const { deps, claims } = aWorld({ quickUntilMs: 99_000 });

    expect(await probeSpeed('whk_1', { ...unknown, probedUntilMs: 12_000 }, 1, deps)).toBe('quick');
    expect(claims).toEqual([]);
  });

  it('returns probed-elsewhere without waiting if another instance has been probing for 200 ms', async () => {
    const { deps, waitedMs } = aWorld();

    expect(await probeSpeed('whk_1', { ...unknown, probedUntilMs: 11_800 }, 9, deps)).toBe('probed-elsewhere');
    expect(waitedMs()).toBe(0);
  });

  it('returns quick for 9 requests if quickUntilMs is later than now, or if this instance saw a quick answer 1 s ago', async () => {
    const { deps } = aWorld();

    expect(await probeSpeed('whk_1', { ...unknown, quickUntilMs: 10_001 }, 9, deps)).toBe('quick');
    deps.memory.rememberQuick('whk_2', 9000);
    expect(await probeSpeed('whk_2', unknown, 9, deps)).toBe('quick');
  });
});
