import { beforeEach, describe, expect, it } from 'vitest';
import { createFrontDoorSecrets } from '../../../lambdas/adapters/keyring/front-door-secrets.ts';
import { isAdmitted } from '../../../lambdas/domain/keyring/front-door-admission.ts';
import { useSecretsManager } from '../../helpers/secrets-manager.ts';

const SECRET_ID = 'front-door';
const MINUTE_MS = 60_000;

describe("the front door's secret", () => {
  const manager = useSecretsManager();
  let nowMs: number;
  let admits: (shown: string) => Promise<boolean>;
  const store = (value: string, previous: string | null): void => {
    manager.secrets.set(SECRET_ID, { value, previous, token: null });
  };
  beforeEach(() => {
    nowMs = 0;
    store('current', null);
    const secrets = createFrontDoorSecrets(manager.client, SECRET_ID, () => nowMs);
    admits = (shown) => isAdmitted(shown, secrets);
  });

  it.each(['', 'Current', 'current ', 'curren', 'previous'])('does not admit who shows “%s”', async (shown) => {
    expect(await admits(shown)).toBe(false);
  });

  it('admits who shows the one that was replaced, until the next', async () => {
    expect(await admits('current')).toBe(true);
    store('second', 'current');
    nowMs += 6_000;
    expect([await admits('second'), await admits('current')]).toEqual([true, true]);
    store('third', 'second');
    nowMs += 6 * MINUTE_MS;
    expect([await admits('third'), await admits('second'), await admits('current')]).toEqual([true, true, false]);
  });

  it('is not read more than once in five minutes for those who show it', async () => {
    await Promise.all(Array.from({ length: 20 }, () => admits('current')));
    nowMs += 4 * MINUTE_MS;
    await admits('current');

    expect(manager.calls).toHaveLength(2);
  });

  it('is not read more than once in five seconds, however many guess', async () => {
    await admits('current');
    manager.calls.length = 0;
    for (let tries = 0; tries < 50; tries++) {
      nowMs += 200;
      await admits(`guess ${tries}`);
    }

    expect(manager.calls).toHaveLength(2 * 2);
  });

  it('serves as it was while it cannot be read', async () => {
    await admits('current');
    manager.isAway = true;
    nowMs += 10 * MINUTE_MS;

    expect([await admits('current'), await admits('other')]).toEqual([true, false]);
  });

  it('that was never read cannot refuse anybody: it fails', async () => {
    manager.isAway = true;

    await expect(admits('current')).rejects.toThrow();
    manager.isAway = false;
    expect(await admits('current')).toBe(true);
  });
});
