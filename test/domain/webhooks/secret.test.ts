import { describe, expect, it } from 'vitest';
import { createSecret, signingSecrets, withNewSecret } from '../../../lambdas/domain/webhooks/secret.ts';

const secret = (sealed: string, expires_at: number | null) => ({ sealed, expires_at });
const names = (list: readonly { sealed: string }[]) => list.map(({ sealed }) => sealed);

describe('a secret that is made', () => {
  it('is whsec_ and 32 random bytes', () => {
    const made = createSecret();

    expect(made).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(Buffer.from(made.slice(6), 'base64')).toHaveLength(32);
    expect(createSecret()).not.toBe(made);
  });
});

describe('the secrets that sign', () => {
  const rotatedTwice = [secret('c', null), secret('b', 2000), secret('a', 1000)];

  it.each([
    [999, ['c', 'b', 'a']],
    [1000, ['c', 'b']],
    [2000, ['c']],
  ])('are all living ones, newest first, where they overlap: at %i', (nowMs, living) => {
    expect(names(signingSecrets(rotatedTwice, 'overlap', nowMs))).toEqual(living);
  });

  it.each([
    [999, 'a'],
    [1000, 'b'],
    [2000, 'c'],
  ])('are the one whose receiver knows it, where one fits: at %i', (nowMs, signing) => {
    expect(names(signingSecrets(rotatedTwice, 'switch', nowMs))).toEqual([signing]);
  });

  it('are never none', () => {
    expect(() => signingSecrets([], 'overlap', 0)).toThrow('without a secret');
  });
});

describe('a rotation', () => {
  it('puts the new one first and lets the one before live for the overlap', () => {
    expect(withNewSecret([secret('a', null)], 'b', 500, 1000)).toEqual([secret('b', null), secret('a', 1500)]);
  });

  it('cuts what would outlive a newer one, and drops what has expired', () => {
    const before = [secret('c', null), secret('b', 9000), secret('a', 1000)];

    expect(withNewSecret(before, 'd', 500, 1000)).toEqual([secret('d', null), secret('c', 1500), secret('b', 1500)]);
  });

  it('leaves an older end where it is', () => {
    const before = [secret('b', null), secret('a', 1200)];

    expect(withNewSecret(before, 'c', 500, 1000)).toEqual([secret('c', null), secret('b', 1500), secret('a', 1200)]);
  });

  it('ends all at once where nothing overlaps', () => {
    expect(withNewSecret([secret('b', null), secret('a', 9000)], 'c', 0, 1000)).toEqual([secret('c', null)]);
  });
});
