import { createPublicKey } from 'node:crypto';
import { PassPostError } from './errors.ts';
import type { PublicKeys } from './keyring.ts';

/** The newest public key of a kind as PEM (SPKI), for receivers that know no key sets. */
export const publicKeyPem = ({ jwks }: PublicKeys, alg: 'ES256' | 'RS256'): string => {
  const jwk = jwks.keys.find((key) => key.alg === alg);
  if (!jwk) throw new PassPostError('unavailable', `This deployment has no ${alg} key yet.`);
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
};
