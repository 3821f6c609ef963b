import { describe, expect, it } from 'vitest';
import { createKeyring, parseKeyring, publicKeysOf, signingKeysOf } from '../../../lambdas/domain/keyring/keyring.ts';

const keyring = createKeyring();

describe('the keyring', () => {
  it('has a pair to seal with and a key of each kind to sign with', () => {
    const { ed25519, ecdsaP256, rsa } = signingKeysOf(keyring, 0);

    expect(keyring.sealing.map(({ jwk }) => [jwk.kty, jwk.crv])).toEqual([['OKP', 'X25519']]);
    expect(ed25519.privateKey.asymmetricKeyType).toBe('ed25519');
    expect(ecdsaP256.privateKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(rsa.privateKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  });

  it('publishes nothing private', () => {
    const { sealing, jwks } = publicKeysOf(keyring);

    for (const key of [sealing.jwk, ...jwks.keys]) {
      for (const secretMember of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secretMember);
    }
    expect(jwks.keys.map(({ kty, alg, use }) => [kty, alg, use])).toEqual([
      ['OKP', 'EdDSA', 'sig'],
      ['EC', 'ES256', 'sig'],
      ['RSA', 'RS256', 'sig'],
    ]);
  });

  it.each([
    ['the older before its time', 999, 0],
    ['the newer at it', 1000, 1],
    ['the newer after it', 1001, 1],
  ])('seals with the newest pair, signs with %s, and publishes both', (_name, atMs, signer) => {
    const newer = createKeyring();
    const grown = {
      ...keyring,
      sealing: [...newer.sealing, ...keyring.sealing],
      signing: [...newer.signing.map((key) => ({ ...key, signs_from: 1000 })), ...keyring.signing],
    };

    const { sealing, jwks } = publicKeysOf(grown);

    expect(sealing.kid).toBe(newer.sealing[0]?.kid);
    expect(signingKeysOf(grown, atMs).rsa.kid).toBe([keyring, newer][signer]?.signing[2]?.kid);
    expect(jwks.keys).toHaveLength(6);
  });

  it('signs with no key that has no time yet', () => {
    const untimed = { ...keyring, signing: keyring.signing.map((key) => ({ ...key, signs_from: null })) };

    expect(() => signingKeysOf(untimed, Date.now())).toThrow('no EdDSA key');
  });

  it('is read as the first release wrote it, without times: those keys sign', () => {
    const signing = keyring.signing.map(({ kid, alg, jwk }) => ({ kid, alg, jwk }));
    const text = JSON.stringify({ v: 1, sealing: keyring.sealing, signing });

    const read = parseKeyring(text);

    expect(signingKeysOf(read, 0).ed25519.kid).toBe(signing[0]?.kid);
    expect(publicKeysOf(read)).toEqual(publicKeysOf(keyring));
  });

  it('keeps what a later release added to it', () => {
    const [pair, ...pairs] = keyring.sealing;
    const later = { ...keyring, sealing: [{ ...pair, retired: true }, ...pairs], note: 'kept' };

    expect(parseKeyring(JSON.stringify(later))).toEqual(later);
  });

  it('is read back from its text', () => {
    expect(parseKeyring(JSON.stringify(keyring))).toEqual(keyring);
  });

  it.each([
    ['no JSON', 'secret-that-must-not-be-quoted'],
    ['JSON of another shape', '{"secret-that-must-not-be-quoted":1}'],
    ['another version', JSON.stringify({ ...keyring, v: 2 })],
  ])('tells nothing of a text that is %s', (_name, text) => {
    const read = (): unknown => parseKeyring(text);

    expect(read).toThrow(/^the keyring secret does not hold a keyring of this version$/);
  });
});
