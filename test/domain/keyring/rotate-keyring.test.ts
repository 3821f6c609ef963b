import { describe, expect, it } from 'vitest';
import { createKeyring, type PublicKeys, parseKeyring, publicKeysOf } from '../../../lambdas/domain/keyring/keyring.ts';
import { rotateKeyring } from '../../../lambdas/domain/keyring/rotate-keyring.ts';

/** A deployment in memory. Step number `dieAt` does its work and then dies. The published pair is checked after each step. */
const deployment = (keyring = createKeyring()) => {
  const state = { text: JSON.stringify(keyring), published: publicKeysOf(keyring) };
  const kids = () => parseKeyring(state.text).sealing.map(({ kid }) => kid);
  let steps = 0;
  let dieAt = Number.POSITIVE_INFINITY;
  const step = async <T>(work: () => T): Promise<T> => {
    const result = work();
    expect(kids(), 'the sealing pairs in the secret').toContain(state.published.sealing.kid);
    if (++steps === dieAt) throw new Error('killed');
    return result;
  };
  const rotate = (dyingAt = Number.POSITIVE_INFINITY) => {
    steps = 0;
    dieAt = dyingAt;
    return rotateKeyring({
      keyring: {
        read: () => step(() => state.text),
        replace: (before, after) =>
          step(() => {
            if (before === state.text) state.text = after;
            return state.text;
          }),
      },
      putPublicKeys: (keys: PublicKeys) =>
        step(() => {
          if (keys.revision >= state.published.revision) state.published = keys;
        }),
    });
  };
  return { state, kids, rotate };
};

describe('rotateKeyring', () => {
  it('puts a new sealing pair before the old ones, publishes it and returns its id', async () => {
    const { state, kids, rotate } = deployment();
    const [old] = kids();

    const { sealing_kid } = await rotate();

    expect(kids()).toEqual([sealing_kid, old]);
    expect(state.published.sealing.kid).toBe(sealing_kid);
  });

  it.each([1, 2, 3])(
    'that dies after step %i never publishes a pair that the secret does not have, and the next run publishes a new pair',
    async (dyingAt) => {
      const { state, kids, rotate } = deployment();
      await expect(rotate(dyingAt)).rejects.toThrow('killed');

      const { sealing_kid } = await rotate();

      expect(kids()[0]).toBe(sealing_kid);
      expect(state.published.sealing.kid).toBe(sealing_kid);
    },
  );

  it('of two concurrent runs publishes the pair that the secret got, in both', async () => {
    const { state, kids, rotate } = deployment();

    const [first, second] = await Promise.all([rotate(), rotate()]);

    expect(first).toEqual(second);
    expect(kids()).toHaveLength(2);
    expect(state.published.sealing.kid).toBe(first.sealing_kid);
  });

  it('throws conflict, and changes nothing, if the keyring would not fit into its secret', async () => {
    const keyring = createKeyring();
    const full = { ...keyring, sealing: Array.from({ length: 600 }, () => keyring.sealing).flat() };
    const { state, rotate } = deployment(full);

    await expect(rotate()).rejects.toMatchObject({ code: 'conflict' });

    expect(parseKeyring(state.text)).toEqual(full);
  });

  it('throws unavailable while the deployment has no keyring', async () => {
    const keyring = { read: async () => null, replace: async (_before: string, after: string) => after };

    await expect(rotateKeyring({ keyring, putPublicKeys: async () => undefined })).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});
