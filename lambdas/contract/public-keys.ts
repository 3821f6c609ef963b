import * as z from 'zod';
import type { Operation } from '../runtime/operation.ts';

const jwkSchema = z
  .looseObject({
    kty: z.string(),
    kid: z.string(),
    alg: z.enum(['EdDSA', 'ES256', 'RS256']),
    use: z.literal('sig'),
  })
  .meta({ id: 'PublicKey', description: 'A public key as a JSON Web Key (RFC 7517).' });

export const getPublicKeys = {
  id: 'getPublicKeys',
  method: 'GET',
  path: '/.well-known/jwks.json',
  tag: 'public keys',
  summary: 'Read the public keys that deliveries are signed with',
  description:
    'The Ed25519 key (`alg` `EdDSA`) makes the `v1a` signatures of the `standard` profile. The current keys are first, then the next keys, which are published before they sign, then the previous keys. Fetch this document again if a signature matches no key that you know.',
  scope: null,
  responses: { 200: z.object({ keys: z.array(jwkSchema) }) },
} as const satisfies Operation;

export const getInpostKeys = {
  id: 'getInpostKeys',
  method: 'GET',
  path: '/inpost/public-key',
  tag: 'public keys',
  summary: 'Read the keys of InPost digital signatures as PEM',
  description:
    'The two current keys, and the next keys during a rotation. With `algorithm`, the answer is that key alone as a PEM file: `curl -o key.pem "…/inpost/public-key?algorithm=ecdsa-p256-sha256"`.',
  scope: null,
  query: z.strictObject({ algorithm: z.enum(['rsa-sha256', 'ecdsa-p256-sha256']).optional() }),
  responses: {
    200: z
      .object({
        rsa: z.string().meta({ description: 'PEM (SPKI), for `rsa-sha256`.' }),
        ec: z.string().meta({ description: 'PEM (SPKI), for `ecdsa-p256-sha256`.' }),
        next: z
          .object({ rsa: z.string(), ec: z.string(), signs_from: z.iso.datetime() })
          .nullable()
          .meta({ description: 'The next keys, and when they start to sign. `null` outside a rotation.' }),
      })
      .meta({ id: 'InpostKeys' }),
  },
  otherMediaTypes: { 'application/x-pem-file': z.string() },
} as const satisfies Operation;
