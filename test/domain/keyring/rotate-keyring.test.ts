import { describe, expect, it } from 'vitest';
import {
  createKeyring,
  type PublicKeys,
  parseKeyring,
  publicKeysOf,
  signingKeysOf,
} from '../../../lambdas/domain/keyring/keyring.ts';
import { rotateKeyring, rotationSchema } from '../../../lambdas/domain/keyring/rotate-keyring.ts';

const DAY = 86_400;
const START_MS = Date.UTC(2026, 10, 1);

/** A deployment in memory. Step number `dieAt` does its work and then dies. The invariants are checked after each step. */
const deployment = (keyring = createKeyring()) => {
  const state = { text: JSON.stringify(keyring), published: publicKeysOf(keyring), nowMs: START_MS, versions: 0 };
  let steps = 0;
  let dieAt = Number.POSITIVE_INFINITY;
  const current = () => parseKeyring(state.text);
  const check = (): void => {
    const published = new Set(state.published.jwks.keys.map(({ kid }) => kid));
    const unpublished = current().signing.filter(({ kid, signs_from }) => signs_from !== null && !published.has(kid));
    expect(unpublished, 'keys that will sign but are not published').toEqual([]);
    expect(
      current().sealing.map(({ kid }) => kid),
      'the sealing keys in the secret',
    ).toContain(state.published.sealing.kid);
  };
  const step = async <T>(work: () => T): Promise<T> => {
    const result = work();
    check();
    if (++steps === dieAt) throw new Error('killed');
    return result;
  };
  const rotate = (signsInSeconds = DAY, dyingAt = Number.POSITIVE_INFINITY) => {
    steps = 0;
    dieAt = dyingAt;
    return rotateKeyring(
      {
        keyring: {
          read: () => step(() => state.text),
          replace: (before, after) =>
            step(() => {
              if (before === state.text) Object.assign(state, { text: after, versions: state.versions + 1 });
              return state.text;
            }),
        },
        putPublicKeys: (keys: PublicKeys) =>
          step(() => {
            if (keys.revision >= state.published.revision) state.published = keys;
          }),
        clock: () => state.nowMs,
      },
      signsInSeconds,
    );
  };
  return { state, current, rotate };
};

describe('rotateKeyring', () => {
  it('adds a sealing pair and 3 signing keys, publishes them, and they sign from exactly one day later', async () => {
    const first = createKeyring();
    const { state, current, rotate } = deployment(first);

    const { added, signs_from, signing_kids } = await rotate();

    const { sealing, signing } = current();
    expect([added, Date.parse(signs_from)]).toEqual([true, START_MS + DAY * 1000]);
    expect([sealing.slice(1), signing.slice(3)]).toEqual([first.sealing, first.signing]);
    expect(signing.slice(0, 3).map(({ kid }) => kid)).toEqual(signing_kids);
    expect(state.published).toEqual(publicKeysOf(current()));
    expect(signingKeysOf(current(), START_MS + DAY * 1000 - 1).rsa.kid).toBe(first.signing[2]?.kid);
    expect(signingKeysOf(current(), START_MS + DAY * 1000).rsa.kid).toBe(signing_kids[2]);
  });

  it.each([1, 2, 3, 4, 5])(
    'after a run that died after step %i, ends with 2 sealing pairs and 6 signing keys, all with a time and published',
    async (dieAt) => {
      const { state, current, rotate } = deployment();
      await expect(rotate(DAY, dieAt)).rejects.toThrow('killed');
      state.nowMs += 3_600_000;

      await rotate();

      expect([current().sealing.length, current().signing.length]).toEqual([2, 6]);
      expect(current().signing.every(({ signs_from }) => signs_from !== null)).toBe(true);
      expect(state.published).toEqual(publicKeysOf(current()));
    },
  );

  it('called again while its new keys wait, adds no keys and does not write the secret again (2 writes in all)', async () => {
    const { state, rotate } = deployment();
    const first = await rotate();
    state.nowMs += 3_600_000;

    const second = await rotate();

    expect(second).toEqual({ ...first, added: false });
    expect(state.versions).toBe(2);
  });

  it.each([
    ['called again with 1,200 s instead of a day, lets the waiting keys sign after 1,200 s', 1200, 1200],
    ['called again with 2 days instead of a day, lets the waiting keys sign after a day', 2 * DAY, DAY],
  ])('%s', async (_name, requestedSeconds, signsInSeconds) => {
    const { rotate } = deployment();
    await rotate();

    const { signs_from } = await rotate(requestedSeconds);

    expect(Date.parse(signs_from)).toBe(START_MS + signsInSeconds * 1000);
  });

  it('called twice at the same time, adds one sealing pair and 3 signing keys, and only one call returns added true', async () => {
    const { state, current, rotate } = deployment();

    const both = await Promise.all([rotate(), rotate()]);

    expect(both.filter(({ added }) => added)).toHaveLength(1);
    expect([current().sealing.length, current().signing.length]).toEqual([2, 6]);
    expect(state.published).toEqual(publicKeysOf(current()));
  });

  it('the tenth time, removes the oldest signing keys and no sealing pair, and the secret is smaller than 26,000 bytes', async () => {
    const first = createKeyring();
    const { state, current, rotate } = deployment(first);
    const kids = (): string[] => current().signing.map(({ kid }) => kid);

    for (let rotations = 1; rotations <= 9; rotations++, state.nowMs += DAY * 1000) await rotate();
    const beforeTenth = kids();
    await rotate();

    expect([beforeTenth.length, kids().length, current().sealing.length]).toEqual([30, 30, 11]);
    expect(beforeTenth).toContain(first.signing[0]?.kid);
    expect(kids()).not.toContain(first.signing[0]?.kid);
    expect(current().sealing.at(-1)).toEqual(first.sealing[0]);
    expect(Buffer.byteLength(state.text)).toBeLessThan(26_000);
  });

  it('throws conflict if the keyring would exceed the size of the secret, and does not change the secret', async () => {
    const first = createKeyring();
    const full = { ...first, sealing: Array.from({ length: 400 }, () => first.sealing).flat() };
    const { state, rotate } = deployment(full);

    await expect(rotate()).rejects.toMatchObject({ code: 'conflict' });

    expect(state.text).toBe(JSON.stringify(full));
  });

  it('has a request (rotationSchema) whose signs_in_seconds is one day by default and may be 1,200 s to 30 days', () => {
    const read = (more: object) => rotationSchema.safeParse({ operation: 'rotate-keyring', ...more });

    expect(read({}).data?.signs_in_seconds).toBe(DAY);
    expect([1199, 1200, 30 * DAY, 30 * DAY + 1].map((n) => read({ signs_in_seconds: n }).success)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
