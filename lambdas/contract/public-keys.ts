import * as z from 'zod';
import { signingAlgs } from '../domain/deliveries/profile.ts';
import { signingKeyRotationSchema } from '../domain/keyring/rotate-signing-keys.ts';
import { type SigningKeyView, signingKeyViewSchema } from '../domain/keyring/signing-keys.ts';
import type { Operation } from '../runtime/operation.ts';

const path = '/api/public/v1/signing-keys';
const tag = 'signing keys';

const key: SigningKeyView = {
  kid: 'q1Xg3vJ0b7nCkZ2w',
  algorithm: 'ES256',
  public_key_pem: '-----BEGIN PUBLIC KEY-----\nMFkw…\n-----END PUBLIC KEY-----\n',
  status: 'current',
  signs_from: '2026-11-16T09:30:00.000Z',
  created_at: '2026-11-16T09:30:00.000Z',
};
const keysSchema = z.object({ data: z.array(signingKeyViewSchema) });

export const listSigningKeys = {
  id: 'listSigningKeys',
  method: 'GET',
  path,
  tag,
  summary: 'List the keys that sign the deliveries of the account',
  description:
    'The keys of digital signatures, in the mode of the API key. An account gets a key of an algorithm with its first webhook that needs one: profile `inpost` with the mechanism `digital`, profile `passcreator` with `signPayload`. The `v1a` signatures of the profile `standard` are made with a key pair of the webhook itself (`public_key` of the webhook).',
  scope: 'webhooks:read',
  responses: { 200: keysSchema },
  exampleAnswer: { data: [key] },
} as const satisfies Operation;

export const rotateSigningKeys = {
  id: 'rotateSigningKeys',
  method: 'POST',
  path: `${path}/rotate`,
  tag,
  summary: 'Publish the next signing keys',
  description:
    'The next key is published immediately and signs after `overlap_seconds`; the current key stays published. While a next key waits, no other is added, and a shorter overlap makes it sign earlier. With `overlap_seconds: 0` deliveries may still be signed with the former key for five minutes. An algorithm without a key gets its first key, which signs immediately.',
  scope: 'webhooks:write',
  body: signingKeyRotationSchema,
  isBodyOptional: true,
  isIdempotent: true,
  responses: { 200: keysSchema },
  errors: [409],
  example: { algorithm: 'ES256', overlap_seconds: 86_400 },
  exampleAnswer: {
    data: [{ ...key, kid: 'Zr9cW1yT4mUe8sLa', status: 'next', signs_from: '2026-11-17T09:30:00.000Z' }, key],
  },
} as const satisfies Operation;

const jwkSchema = z
  .looseObject({
    kty: z.string(),
    kid: z.string(),
    alg: z.enum(signingAlgs),
    use: z.literal('sig'),
  })
  .meta({ id: 'PublicKey', description: 'A public key as a JSON Web Key (RFC 7517).' });
const jwksSchema = z.object({ keys: z.array(jwkSchema) });

export const getPublicKeys = {
  id: 'getPublicKeys',
  method: 'GET',
  path: '/.well-known/jwks.json',
  tag,
  summary: 'Read the public keys of the deployment itself',
  description:
    'Always empty: accounts and webhooks have keys of their own, and the deployment signs nothing. Read the keys of an account at `/accounts/{id}/{mode}/jwks.json`.',
  scope: null,
  responses: { 200: jwksSchema },
} as const satisfies Operation;

export const getAccountKeys = {
  id: 'getAccountKeys',
  method: 'GET',
  path: '/accounts/{id}/{mode}/jwks.json',
  idPrefix: 'acc',
  tag,
  summary: 'Read the public keys of an account',
  description:
    'The mode is `live` or `test`. The current keys are first, then the next keys, which are published before they sign, and the previous keys. Fetch this document again if a signature matches no key that you know. It is empty for an account without signing keys, and for an account that does not exist.',
  scope: null,
  responses: { 200: jwksSchema },
} as const satisfies Operation;

const modes = ['live', 'test'] as const;
const inpostAlgorithms = ['rsa-sha256', 'ecdsa-p256-sha256'] as const;

export const getInpostKeys = {
  id: 'getInpostKeys',
  method: 'GET',
  path: '/inpost/public-key',
  tag,
  summary: "Read the keys of an account's InPost digital signatures as PEM",
  description:
    'The two current keys, and the next keys during a rotation. With `algorithm`, the answer is that key alone as a PEM file: `curl -o key.pem "…/inpost/public-key?account=acc_…&mode=live&algorithm=ecdsa-p256-sha256"`.',
  scope: null,
  query: z.strictObject({
    account: z.string().meta({ description: 'The account whose webhook receives the deliveries.' }),
    mode: z.enum(modes).default('live'),
    algorithm: z.enum(inpostAlgorithms).optional(),
  }),
  responses: {
    200: z
      .object({
        rsa: z.string().nullable().meta({ description: 'PEM (SPKI), for `rsa-sha256`; null without such a key.' }),
        ec: z
          .string()
          .nullable()
          .meta({ description: 'PEM (SPKI), for `ecdsa-p256-sha256`; null without such a key.' }),
        next: z
          .object({ rsa: z.string().nullable(), ec: z.string().nullable(), signs_from: z.iso.datetime() })
          .nullable()
          .meta({
            description: 'The next keys, and when the first of them starts to sign. `null` outside a rotation.',
          }),
      })
      .meta({ id: 'InpostKeys' }),
  },
  otherMediaTypes: { 'application/x-pem-file': z.string() },
} as const satisfies Operation;
