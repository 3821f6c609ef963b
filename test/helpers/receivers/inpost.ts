import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Rendered } from '../../../lambdas/domain/deliveries/profile.ts';
import type { Verify, VerifyByKey } from '../profile-contract.ts';
import { opensslHmac, opensslVerifies } from './openssl.ts';
import { publishedPem } from './published-key.ts';

export interface Agreed {
  readonly signed_content: 'body' | 'timestamp_body';
  readonly hash: 'sha256' | 'sha512';
  readonly algorithm: 'rsa-sha256' | 'ecdsa-p256-sha256';
}

/** The text that both sides agreed to sign. */
const signedText = ({ headers, body }: Rendered, { signed_content }: Agreed): string =>
  signed_content === 'body' ? body : `${headers['x-inpost-timestamp']}.${body}`;

const signatureIn = ({ headers }: Rendered): string => {
  const signature = headers['x-inpost-signature'];
  if (!signature) throw new Error('the request has no signature');
  return signature;
};

export const verifyInpostHmac =
  (agreed: Agreed): Verify =>
  (request, secret) => {
    const expected = createHmac(agreed.hash, secret).update(signedText(request, agreed)).digest();
    return timingSafeEqual(expected, Buffer.from(signatureIn(request), 'base64'));
  };

export const verifyInpostHmacWithOpenssl =
  (agreed: Agreed): Verify =>
  (request, secret) =>
    opensslHmac(agreed.hash, secret, signedText(request, agreed)) === signatureIn(request);

export const verifyInpostDigitalWithOpenssl =
  (agreed: Agreed): VerifyByKey =>
  (request, keys) => {
    const pem = publishedPem(keys, agreed.algorithm === 'rsa-sha256' ? 'RS256' : 'ES256');
    return opensslVerifies(signedText(request, agreed), signatureIn(request), pem);
  };
