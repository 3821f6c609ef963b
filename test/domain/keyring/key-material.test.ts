import { describe, expect, it } from 'vitest';
import type { OperatorKey } from '../../../lambdas/domain/accounts/operator.ts';
import { provideKeyMaterial, type SecretStore } from '../../../lambdas/domain/keyring/key-material.ts';
import { type PublicKeys, parseKeyring, publicKeysOf } from '../../../lambdas/domain/keyring/keyring.ts';

/** A deployment in memory. Step number `failingStep` does its work and then dies. */
const deployment = () => {
  const state = {
    keyring: null as string | null,
    operator: null as string | null,
    publicKeys: null as PublicKeys | null,
    operatorKeys: new Map<string, OperatorKey>(),
  };
  let steps = 0;
  let failingStep = Number.POSITIVE_INFINITY;
  const step = async <T>(work: () => T): Promise<T> => {
    const result = work();
    if (++steps === failingStep) throw new Error('killed');
    return result;
  };
  const store = (name: 'keyring' | 'operator'): SecretStore => ({
    read: () => step(() => state[name]),
    fill: (value) =>
      step(() => {
        state[name] ??= value;
        return state[name];
      }),
  });
  const run = (dieAt = Number.POSITIVE_INFINITY): Promise<void> => {
    steps = 0;
    failingStep = dieAt;
    return provideKeyMaterial(
      {
        keyring: store('keyring'),
        operator: store('operator'),
        putPublicKeys: (keys) =>
          step(() => {
            state.publicKeys = keys;
          }),
        addFirstOperator: (_operator, key) =>
          step(() => {
            if (!state.operatorKeys.has(key.hash)) state.operatorKeys.set(key.hash, key);
          }),
      },
      0,
    );
  };
  return { state, run };
};

describe('provideKeyMaterial', () => {
  it('fills the empty keyring and operator secrets, and stores the public keys and one operator key row with scope admin', async () => {
    const { state, run } = deployment();

    await run();

    expect(state.operator).toMatch(/^pp_live_[A-Za-z0-9]{38}$/);
    expect(state.publicKeys).toEqual(publicKeysOf(parseKeyring(state.keyring ?? '')));
    expect([...state.operatorKeys.values()]).toMatchObject([{ key: { scopes: ['admin'], mode: 'live', limit: 600 } }]);
  });

  it('changes neither secrets nor rows when it runs a second time', async () => {
    const { state, run } = deployment();
    await run();
    const before = structuredClone(state);

    await run();

    expect(state).toEqual(before);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'after a run that died after step %i, changes no filled secret and stores the public keys and one operator key',
    async (dieAt) => {
      const { state, run } = deployment();
      await expect(run(dieAt)).rejects.toThrow('killed');
      const { keyring, operator } = state;

      await run();

      expect(keyring === null || keyring === state.keyring).toBe(true);
      expect(operator === null || operator === state.operator).toBe(true);
      expect(state.publicKeys).toEqual(publicKeysOf(parseKeyring(state.keyring ?? '')));
      expect(state.operatorKeys.size).toBe(1);
    },
  );

  it('throws if the keyring secret has an unknown version, and does not overwrite the secret', async () => {
    const { state, run } = deployment();
    state.keyring = '{"v":2}';

    await expect(run()).rejects.toThrow('does not hold a keyring');

    expect(state.keyring).toBe('{"v":2}');
  });
});
