import { describe, expect, it } from 'vitest';
import { createSecret, signingSecrets, withNewSecret } from '../../../lambdas/domain/webhooks/secret.ts';

const secret = (sealed: string, expires_at: number | null) => ({ sealed, expires_at });
const names = (list: readonly { sealed: string }[]) => list.map(({ sealed }) => sealed);

describe('a generated secret', () => {
  it('has 32 random bytes after `whsec_`', () => {
    const generated = createSecret();

    expect(generated).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(Buffer.from(generated.slice(6), 'base64')).toHaveLength(32);
    expect(createSecret()).not.toBe(generated);
  });
});

describe('signingSecrets', () => {
  const rotatedTwice = [secret('c', null), secret('b', 2000), secret('a', 1000)];

  it.each([
    [999, ['c', 'b', 'a']],
    [1000, ['c', 'b']],
    [2000, ['c']],
  ])('with `overlap` are all valid secrets, newest first: at %i', (nowMs, valid) => {
    expect(names(signingSecrets(rotatedTwice, 'overlap', nowMs))).toEqual(valid);
  });

  it.each([
    [999, 'a'],
    [1000, 'b'],
    [2000, 'c'],
  ])('with `switch` are the oldest valid secret, which the receiver knows: at %i', (nowMs, signing) => {
    expect(names(signingSecrets(rotatedTwice, 'switch', nowMs))).toEqual([signing]);
  });

  it('throw if a webhook has no secret', () => {
    expect(() => signingSecrets([], 'overlap', 0)).toThrow('without a secret');
  });
});

describe('withNewSecret', () => {
  it('puts the new secret first and lets the previous secret expire after the overlap', () => {
    expect(withNewSecret([secret('a', null)], 'b', 500, 1000)).toEqual([secret('b', null), secret('a', 1500)]);
  });

  it('lets no secret outlive a newer one, and drops expired secrets', () => {
    const before = [secret('c', null), secret('b', 9000), secret('a', 1000)];

    expect(withNewSecret(before, 'd', 500, 1000)).toEqual([secret('d', null), secret('c', 1500), secret('b', 1500)]);
  });

  it('does not change an earlier expiry', () => {
    const before = [secret('b', null), secret('a', 1200)];

    expect(withNewSecret(before, 'c', 500, 1000)).toEqual([secret('c', null), secret('b', 1500), secret('a', 1200)]);
  });

  it('drops all older secrets immediately for an overlap of 0', () => {
    expect(withNewSecret([secret('b', null), secret('a', 9000)], 'c', 0, 1000)).toEqual([secret('c', null)]);
  });
});
