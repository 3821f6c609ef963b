import { beforeEach, describe, expect, it } from 'vitest';
import { createSecretStore } from '../../../lambdas/adapters/keyring/secret-store.ts';
import { useSecretsManager } from '../../helpers/secrets-manager.ts';

describe('the secret store', () => {
  const manager = useSecretsManager();
  beforeEach(() => {
    manager.secrets.set('s', { value: null, token: null });
  });
  const store = () => createSecretStore(manager.client, 's');

  it('reads null from a secret that has no value', async () => {
    expect(await store().read()).toBeNull();
  });

  it('reads the value that it filled in', async () => {
    expect(await store().fill('first')).toBe('first');
    expect(await store().read()).toBe('first');
  });

  it('keeps the first value when a second `fill` follows, and returns it', async () => {
    await store().fill('first');

    expect(await store().fill('second')).toBe('first');
    expect(await store().read()).toBe('first');
  });

  it('throws instead of reading null while Secrets Manager is unreachable', async () => {
    manager.isAway = true;

    await expect(store().read()).rejects.toThrow();
  });

  it('throws when it fills a secret that does not exist', async () => {
    manager.secrets.clear();

    await expect(store().fill('first')).rejects.toThrow();
  });

  it('replaces the value that was read', async () => {
    await store().fill('first');

    expect(await store().replace('first', 'second')).toBe('second');
    expect(await store().read()).toBe('second');
  });

  it('keeps the first of two values that replace the same value, and returns it to both writers', async () => {
    await store().fill('first');

    const [first, second] = await Promise.all([store().replace('first', 'a'), store().replace('first', 'b')]);

    expect(first).toBe(second);
    expect(await store().read()).toBe(first);
  });

  it('throws when another writer was first and its value cannot be read yet', async () => {
    await store().fill('first');
    await store().replace('first', 'second');
    Object.assign(manager.secrets.get('s') ?? {}, { value: 'first' });

    await expect(store().replace('first', 'other')).rejects.toThrow();
  });
});
