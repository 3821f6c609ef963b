import { describe, expect, it } from 'vitest';
import { createKeyring, parseKeyring, publicKeysOf } from '../../../lambdas/domain/keyring/keyring.ts';

const keyring = createKeyring();

describe('a keyring', () => {
  it('from createKeyring has one X25519 sealing pair and no signing key', () => {
    expect(keyring.sealing.map(({ jwk }) => [jwk.kty, jwk.crv])).toEqual([['OKP', 'X25519']]);
    expect(Object.keys(keyring).toSorted()).toEqual(['revision', 'sealing', 'v']);
  });

  it('publishes (publicKeysOf) the public half of its newest sealing pair, without private members', () => {
    const newer = createKeyring();
    const grown = { ...keyring, revision: 3, sealing: [...newer.sealing, ...keyring.sealing] };

    const published = publicKeysOf(grown);

    const [{ kid, jwk } = { kid: '', jwk: { kty: '' } }] = newer.sealing;
    const { d: _, ...publicHalf } = jwk as Record<string, unknown>;
    expect(published).toEqual({ revision: 3, sealing: { kid, jwk: publicHalf } });
  });

  it('with unknown members keeps them in parseKeyring, so that an older release does not lose what a newer one added', () => {
    const text = JSON.stringify({ ...keyring, later: { a: 1 } });

    expect(parseKeyring(text)).toEqual({ ...keyring, later: { a: 1 } });
  });

  it.each([
    ['that is no JSON', '{'],
    ['of version 2', JSON.stringify({ ...keyring, v: 2 })],
    ['without a sealing pair', JSON.stringify({ ...keyring, sealing: [] })],
  ])('%s makes parseKeyring throw an error that quotes nothing of the text', (_, text) => {
    expect(() => parseKeyring(text)).toThrow(/^the keyring secret does not hold a keyring of this version$/);
  });
});
