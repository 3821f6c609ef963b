import { beforeEach, describe, expect, it } from 'vitest';
import { createFrontDoorSecrets } from '../../../lambdas/adapters/keyring/front-door-secrets.ts';
import { isAdmitted } from '../../../lambdas/domain/keyring/front-door-admission.ts';
import { useSecretsManager } from '../../helpers/secrets-manager.ts';

const SECRET_ID = 'front-door';
const MINUTE_MS = 60_000;

describe("the front door's secret", () => {
  const manager = useSecretsManager();
  let nowMs: number;
  let admits: (header: string) => Promise<boolean>;
  const store = (value: string, previous: string | null): void => {
    manager.secrets.set(SECRET_ID, { value, previous, token: null });
  };
  beforeEach(() => {
    nowMs = 0;
    store('current', null);
    const secrets = createFrontDoorSecrets(manager.client, SECRET_ID, () => nowMs);
    admits = (header) => isAdmitted(header, secrets);
  });

  it.each(['', 'Current', 'current ', 'curren', 'previous'])(
    'does not admit a request whose secret header has the value “%s” while the stored secret is “current”',
    async (header) => {
      expect(await admits(header)).toBe(false);
    },
  );

  it('admits requests with the newest and the previous value, but not with the value before the previous', async () => {
    expect(await admits('current')).toBe(true);
    store('second', 'current');
    nowMs += 6_000;
    expect([await admits('second'), await admits('current')]).toEqual([true, true]);
    store('third', 'second');
    nowMs += 6 * MINUTE_MS;
    expect([await admits('third'), await admits('second'), await admits('current')]).toEqual([true, true, false]);
  });

  it('is read once (with two calls) for 21 requests with the right value within four minutes', async () => {
    await Promise.all(Array.from({ length: 20 }, () => admits('current')));
    nowMs += 4 * MINUTE_MS;
    await admits('current');

    expect(manager.calls).toHaveLength(2);
  });

  it('is read only twice (with two calls each) for 50 requests with wrong values within ten seconds', async () => {
    await admits('current');
    manager.calls.length = 0;
    for (let tries = 0; tries < 50; tries++) {
      nowMs += 200;
      await admits(`guess ${tries}`);
    }

    expect(manager.calls).toHaveLength(2 * 2);
  });

  it('is cached while Secrets Manager is unreachable: ten minutes later the right value is admitted and another is not', async () => {
    await admits('current');
    manager.isAway = true;
    nowMs += 10 * MINUTE_MS;

    expect([await admits('current'), await admits('other')]).toEqual([true, false]);
  });

  it('makes the check of a request throw until its first successful read, after which the right value is admitted', async () => {
    manager.isAway = true;

    await expect(admits('current')).rejects.toThrow();
    manager.isAway = false;
    expect(await admits('current')).toBe(true);
  });
});
