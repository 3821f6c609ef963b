import { describe, expect, it } from 'vitest';
import { createSecret, signingSecrets, withNewSecret } from '../../../lambdas/domain/webhooks/secret.ts';

const secret = (sealed: string, expires_at: number | null) => ({ sealed, expires_at });
const names = (list: readonly { sealed: string }[]) => list.map(({ sealed }) => sealed);

describe('a secret from createSecret', () => {
  it('is `whsec_` and 32 bytes in base64, and differs from the next secret', () => {
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
  ])(
    'with the rotation "overlap" at time %i, returns %j, every valid one of a (expires at 1000), b (expires at 2000) and c (never expires)',
    (nowMs, valid) => {
      expect(names(signingSecrets(rotatedTwice, 'overlap', nowMs))).toEqual(valid);
    },
  );

  it.each([
    [999, 'a'],
    [1000, 'b'],
    [2000, 'c'],
  ])(
    'with the rotation "switch" at time %i, returns only secret %s, the oldest valid one of a (expires at 1000), b (expires at 2000) and c (never expires)',
    (nowMs, signing) => {
      expect(names(signingSecrets(rotatedTwice, 'switch', nowMs))).toEqual([signing]);
    },
  );

  it('throws an error with the text "without a secret" for an empty list of secrets', () => {
    expect(() => signingSecrets([], 'overlap', 0)).toThrow('without a secret');
  });
});

describe('withNewSecret', () => {
  it('puts the new secret first, and the previous secret expires after the overlap of 500 ms', () => {
    expect(withNewSecret([secret('a', null)], secret('b', null), 500, 1000)).toEqual([
      secret('b', null),
      secret('a', 1500),
    ]);
  });

  it('at 1000 with an overlap of 500, moves the expiry of a secret from 9000 to 1500 and drops a secret that expires at 1000', () => {
    const before = [secret('c', null), secret('b', 9000), secret('a', 1000)];

    expect(withNewSecret(before, secret('d', null), 500, 1000)).toEqual([
      secret('d', null),
      secret('c', 1500),
      secret('b', 1500),
    ]);
  });

  it('does not change the expiry of a secret that ends before the overlap does', () => {
    const before = [secret('b', null), secret('a', 1200)];

    expect(withNewSecret(before, secret('c', null), 500, 1000)).toEqual([
      secret('c', null),
      secret('b', 1500),
      secret('a', 1200),
    ]);
  });

  it('returns only the new secret for an overlap of 0', () => {
    expect(withNewSecret([secret('b', null), secret('a', 9000)], secret('c', null), 0, 1000)).toEqual([
      secret('c', null),
    ]);
  });
});
