// https://developers.inpost-group.com, webhooks: each client chooses whether and how requests are signed, and is pinned to a payload version.
// A signed request has one base64 signature over the body, or over timestamp, dot and body. `hash` applies to HMAC only; a digital algorithm includes its hash.

import { createHmac, sign } from 'node:crypto';
import * as z from 'zod';
import { type Profile, privateKeyOf, type SigningMaterial } from '../domain/deliveries/profile.ts';
import { any2xx, ownHeaders, sevenHours } from './parts/defaults.ts';
import { asItIs, bodyOfVersion, type PayloadVersion, withNames } from './parts/payload-versions.ts';
import { textSecret } from './parts/text-secret.ts';

const options = z.strictObject({
  mechanism: z.enum(['hmac', 'digital', 'none']).default('hmac'),
  signed_content: z.enum(['body', 'timestamp_body']).default('body'),
  hash: z.enum(['sha256', 'sha512']).default('sha256'),
  algorithm: z.enum(['rsa-sha256', 'ecdsa-p256-sha256']).default('rsa-sha256'),
});
type Options = z.infer<typeof options>;

const algs = { 'rsa-sha256': 'RS256', 'ecdsa-p256-sha256': 'ES256' } as const;

/** InPost's payload versions, newest first. A breaking change adds one entry at the top. */
const versions: readonly PayloadVersion[] = [
  ['2026-11-01', asItIs],
  // Version 2026-11-01 renamed three members to the names of the other profiles.
  ['2024-06-01', withNames({ id: 'event_id', type: 'event_type', created_at: 'timestamp' })],
];

const signatureOf = (text: string, keys: SigningMaterial, { mechanism, hash }: Options): string => {
  if (mechanism === 'hmac') return createHmac(hash, keys.secrets[0]).update(text).digest('base64');
  return sign('sha256', Buffer.from(text), privateKeyOf(keys)).toString('base64');
};

export const inpost: Profile<Options> = {
  name: 'inpost',
  events: ['*'],
  options,
  schedule: sevenHours,
  headerPrefixes: ['x-inpost-'],
  apiVersions: versions.map(([date]) => date),
  secret: textSecret,
  rotation: 'switch',
  signingKey: ({ mechanism, algorithm }) => (mechanism === 'digital' ? algs[algorithm] : null),
  classify: any2xx,
  render: (input, material, chosen, sentAt) => {
    const { eventId, eventType, apiVersion } = input;
    const body = bodyOfVersion(input, versions);
    const timestamp = sentAt.toISOString();
    const text = chosen.signed_content === 'body' ? body : `${timestamp}.${body}`;
    const headers = {
      ...ownHeaders,
      'x-inpost-api-version': apiVersion,
      'x-inpost-topic': eventType.startsWith('task.') ? 'Shipment.Tracking' : eventType,
      'x-inpost-event-id': eventId,
      'x-inpost-timestamp': timestamp,
    };
    if (chosen.mechanism === 'none') return { headers, body };
    return { headers: { ...headers, 'x-inpost-signature': signatureOf(text, material, chosen) }, body };
  },
};
