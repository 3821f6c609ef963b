import { createPublicKey, verify } from 'node:crypto';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import type { Verify, VerifyByKey } from '../profile-contract.ts';

/** The specification's own library. It throws if it refuses the request. */
export const verifyWithStandardWebhooks: Verify = ({ headers, body }, secret) => {
  new StandardWebhook(secret).verify(body, headers);
  return true;
};

export const verifyWithSvix: Verify = ({ headers, body }, secret) => {
  new SvixWebhook(secret).verify(body, headers);
  return true;
};

/** Verifies `v1a` by the specification, with the published Ed25519 key, because the libraries verify only `v1`. */
export const verifyV1a: VerifyByKey = ({ headers, body }, keys) => {
  const key = keys.find(({ alg }) => alg === 'EdDSA');
  if (!key) throw new Error('no Ed25519 key is published');
  const publicKey = createPublicKey({ key, format: 'jwk' });
  const signed = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
  const signatures = (headers['webhook-signature'] ?? '').split(' ').filter((text) => text.startsWith('v1a,'));
  return signatures.some((text) => verify(null, signed, publicKey, Buffer.from(text.slice(4), 'base64')));
};
