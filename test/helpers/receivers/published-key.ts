import { createPublicKey, type JsonWebKey } from 'node:crypto';

/** One of the deployment's published keys as PEM, as its endpoints serve it. */
export const publishedPem = (keys: readonly JsonWebKey[], alg: 'ES256' | 'RS256' | 'EdDSA'): string => {
  const key = keys.find((each) => each.alg === alg);
  if (!key) throw new Error(`no ${alg} key is published`);
  return createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
};
