import { describe, expect, it } from 'vitest';
import { createKeyring, parseKeyring, publicKeysOf, signingKeysOf } from '../../lambdas/domain/keyring.ts';

const keyring = createKeyring();

describe('the keyring', () => {
  it('has a pair to seal with and a key of each kind to sign with', () => {
    const { ed25519, ecdsaP256, rsa } = signingKeysOf(keyring);

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

  it('signs and seals with the newest, and publishes all that sign', () => {
    const newer = createKeyring();
    const grown = {
      v: 1 as const,
      sealing: [...newer.sealing, ...keyring.sealing],
      signing: [...newer.signing, ...keyring.signing],
    };

    const { sealing, jwks } = publicKeysOf(grown);

    expect(sealing.kid).toBe(newer.sealing[0]?.kid);
    expect(signingKeysOf(grown).rsa.kid).toBe(newer.signing[2]?.kid);
    expect(jwks.keys).toHaveLength(6);
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
