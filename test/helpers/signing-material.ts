import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type {
  Profile,
  SigningAlg,
  SigningKeySource,
  SigningMaterial,
} from '../../lambdas/domain/deliveries/profile.ts';
import { type Jwk, toJwk } from '../../lambdas/domain/keyring/keyring.ts';

/** A public key as a receiver gets it. */
export type PublishedKey = Jwk & { readonly alg: SigningAlg };

/** The key pairs of one account, one of each algorithm. */
export interface AccountKeys {
  readonly published: readonly PublishedKey[];
  privateKeysOf(source: SigningKeySource): readonly KeyObject[];
}

export const drawAccountKeys = (): AccountKeys => {
  const pairs = {
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    EdDSA: generateKeyPairSync('ed25519'),
  };
  return {
    published: Object.entries(pairs).map(([alg, { publicKey }]) => ({ ...toJwk(publicKey), alg: alg as SigningAlg })),
    privateKeysOf: (source) => (source === null ? [] : [pairs[source === 'webhook' ? 'EdDSA' : source].privateKey]),
  };
};

/** Returns the material with which the profile signs with these options: an account's keys, and the secrets. */
export const materialOf = <Options>(
  keys: AccountKeys,
  profile: Profile<Options>,
  options: Options,
  secrets: SigningMaterial['secrets'],
): SigningMaterial => ({ secrets, privateKeys: keys.privateKeysOf(profile.signingKey?.(options) ?? null) });

/** One secret that every profile accepts, and no private key. */
export const material: SigningMaterial = {
  secrets: ['whsec_dGVzdC1zZWNyZXQtMzItYnl0ZXMtbG9uZy0hISEhISE='],
  privateKeys: [],
};
