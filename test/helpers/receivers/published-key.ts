import { createPublicKey, type JsonWebKey } from 'node:crypto';

/** Returns a published key of the deployment as PEM, in the form that the API serves. */
export const publishedPem = (keys: readonly JsonWebKey[], alg: 'ES256' | 'RS256' | 'EdDSA'): string => {
  const key = keys.find((each) => each.alg === alg);
  if (!key) throw new Error(`no ${alg} key is published`);
  return createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
};
