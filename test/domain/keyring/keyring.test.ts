import { describe, expect, it } from 'vitest';
import { createKeyring, parseKeyring, publicKeysOf, signingKeysOf } from '../../../lambdas/domain/keyring/keyring.ts';

const keyring = createKeyring();

describe('a keyring', () => {
  it('from createKeyring has one X25519 sealing pair, and an Ed25519, a P-256 and an RSA-2048 signing key', () => {
    const { ed25519, ecdsaP256, rsa } = signingKeysOf(keyring, 0);

    expect(keyring.sealing.map(({ jwk }) => [jwk.kty, jwk.crv])).toEqual([['OKP', 'X25519']]);
    expect(ed25519.privateKey.asymmetricKeyType).toBe('ed25519');
    expect(ecdsaP256.privateKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(rsa.privateKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  });

  it('publishes (publicKeysOf) its EdDSA, ES256 and RS256 keys and its sealing key without private members', () => {
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
    ['the older key 1 ms before the newer key’s signs_from', 999, 0],
    ['the newer key at its signs_from', 1000, 1],
    ['the newer key 1 ms after its signs_from', 1001, 1],
  ])(
    'with two generations of keys publishes the newer sealing key and all 6 signing keys, and signs with %s',
    (_name, atMs, signer) => {
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
    },
  );

  it('whose signing keys have no signs_from makes signingKeysOf throw "no EdDSA key"', () => {
    const untimed = { ...keyring, signing: keyring.signing.map((key) => ({ ...key, signs_from: null })) };

    expect(() => signingKeysOf(untimed, Date.now())).toThrow('no EdDSA key');
  });

  it('of the first release, without signs_from, is read by parseKeyring, and its keys sign and are published', () => {
    const signing = keyring.signing.map(({ kid, alg, jwk }) => ({ kid, alg, jwk }));
    const text = JSON.stringify({ v: 1, sealing: keyring.sealing, signing });

    const read = parseKeyring(text);

    expect(signingKeysOf(read, 0).ed25519.kid).toBe(signing[0]?.kid);
    expect(publicKeysOf(read)).toEqual(publicKeysOf(keyring));
  });

  it('with members that a later release added has these members after parseKeyring too', () => {
    const [pair, ...pairs] = keyring.sealing;
    const later = { ...keyring, sealing: [{ ...pair, retired: true }, ...pairs], note: 'preserved' };

    expect(parseKeyring(JSON.stringify(later))).toEqual(later);
  });

  it('is equal to the result of parseKeyring for its JSON text', () => {
    expect(parseKeyring(JSON.stringify(keyring))).toEqual(keyring);
  });

  it.each([
    ['not JSON', 'secret-that-must-not-be-quoted'],
    ['JSON of another shape', '{"secret-that-must-not-be-quoted":1}'],
    ['a keyring of another version', JSON.stringify({ ...keyring, v: 2 })],
  ])('is not read from a text that is %s: parseKeyring throws an error that does not quote the text', (_name, text) => {
    const read = (): unknown => parseKeyring(text);

    expect(read).toThrow(/^the keyring secret does not hold a keyring of this version$/);
  });
});
