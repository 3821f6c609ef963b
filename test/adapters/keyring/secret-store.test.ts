import { beforeEach, describe, expect, it } from 'vitest';
import { createSecretStore } from '../../../lambdas/adapters/keyring/secret-store.ts';
import { useSecretsManager } from '../../helpers/secrets-manager.ts';

describe('the secret store', () => {
  const manager = useSecretsManager();
  beforeEach(() => {
    manager.secrets.set('s', { value: null, token: null });
  });
  const store = () => createSecretStore(manager.client, 's');

  it('`read` returns null for a secret that has no value', async () => {
    expect(await store().read()).toBeNull();
  });

  it('`fill` stores a first value and returns it, and `read` then returns this value', async () => {
    expect(await store().fill('first')).toBe('first');
    expect(await store().read()).toBe('first');
  });

  it('a second `fill` returns the first value and does not replace it', async () => {
    await store().fill('first');

    expect(await store().fill('second')).toBe('first');
    expect(await store().read()).toBe('first');
  });

  it('`read` throws while Secrets Manager is unreachable', async () => {
    manager.isAway = true;

    await expect(store().read()).rejects.toThrow();
  });

  it('`fill` throws if the secret does not exist', async () => {
    manager.secrets.clear();

    await expect(store().fill('first')).rejects.toThrow();
  });

  it('`replace` of the current value stores the new value and returns it', async () => {
    await store().fill('first');

    expect(await store().replace('first', 'second')).toBe('second');
    expect(await store().read()).toBe('second');
  });

  it('two `replace` calls for one value at the same time return one new value, which is the stored value', async () => {
    await store().fill('first');

    const [first, second] = await Promise.all([store().replace('first', 'a'), store().replace('first', 'b')]);

    expect(first).toBe(second);
    expect(await store().read()).toBe(first);
  });

  it('`replace` throws if another writer was first and `read` still returns the value before', async () => {
    await store().fill('first');
    await store().replace('first', 'second');
    Object.assign(manager.secrets.get('s') ?? {}, { value: 'first' });

    await expect(store().replace('first', 'other')).rejects.toThrow();
  });
});
