import { beforeEach, describe, expect, it } from 'vitest';
import { createSecretStore } from '../../../lambdas/adapters/keyring/secret-store.ts';
import { useSecretsManager } from '../../helpers/secrets-manager.ts';

describe('a secret', () => {
  const manager = useSecretsManager();
  beforeEach(() => {
    manager.secrets.set('s', { value: null, token: null });
  });
  const store = () => createSecretStore(manager.client, 's');

  it('has no value before', async () => {
    expect(await store().read()).toBeNull();
  });

  it('holds what it was filled with', async () => {
    expect(await store().fill('first')).toBe('first');
    expect(await store().read()).toBe('first');
  });

  it('keeps the first of two values', async () => {
    await store().fill('first');

    expect(await store().fill('second')).toBe('first');
    expect(await store().read()).toBe('first');
  });

  it('is no empty one when Secrets Manager is away', async () => {
    manager.isAway = true;

    await expect(store().read()).rejects.toThrow();
  });

  it('cannot be filled when it is missing', async () => {
    manager.secrets.clear();

    await expect(store().fill('first')).rejects.toThrow();
  });

  it('takes the place of the value that was read', async () => {
    await store().fill('first');

    expect(await store().replace('first', 'second')).toBe('second');
    expect(await store().read()).toBe('second');
  });

  it('keeps the first of two values that would follow the same one', async () => {
    await store().fill('first');

    const [one, other] = await Promise.all([store().replace('first', 'a'), store().replace('first', 'b')]);

    expect(one).toBe(other);
    expect(await store().read()).toBe(one);
  });

  it('does not take for new what it cannot see yet', async () => {
    await store().fill('first');
    await store().replace('first', 'second');
    Object.assign(manager.secrets.get('s') ?? {}, { value: 'first' });

    await expect(store().replace('first', 'other')).rejects.toThrow();
  });
});
