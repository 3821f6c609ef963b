// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
// One header holds symmetric (v1) and asymmetric (v1a) signatures. The v1a key pair belongs to the webhook and changes with its secret.

import { sign } from 'node:crypto';
import * as z from 'zod';
import type { Profile } from '../domain/deliveries/profile.ts';
import { any2xx, type NoOptions, noOptions, ownHeaders } from './parts/defaults.ts';
import { hmacSha256 } from './parts/hmac-sha256.ts';

const PREFIX = 'whsec_';
const keyBytes = (secret: string): Buffer => Buffer.from(secret.slice(PREFIX.length), 'base64');

export const standard: Profile<NoOptions> = {
  name: 'standard',
  events: ['*'],
  options: noOptions,
  // The retry schedule is the example of the Standard Webhooks specification: waits of 5 s, 5 min, 30 min, 2 h, 5 h, 10
  // h, 14 h, 20 h and 24 h.
  schedule: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
  headerPrefixes: ['webhook-'],
  apiVersions: ['2026-11-01'],
  secret: z
    .string()
    .regex(/^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'must be whsec_ and base64')
    .refine((text) => keyBytes(text).length >= 24 && keyBytes(text).length <= 64, 'must hold 24 to 64 bytes'),
  rotation: 'overlap',
  signingKey: () => 'webhook',
  classify: (status) => (status === 410 ? 'gone' : any2xx(status)),
  render: ({ eventId, eventType, createdAt, dataJson }, { secrets, privateKeys }, _options, sentAt) => {
    const body = `{"type":${JSON.stringify(eventType)},"timestamp":"${createdAt}","data":${dataJson}}`;
    const timestamp = String(Math.floor(sentAt.getTime() / 1000));
    const signed = `${eventId}.${timestamp}.${body}`;
    const signatures = [
      ...secrets.map((secret) => `v1,${hmacSha256(keyBytes(secret), signed, 'base64')}`),
      ...privateKeys.map((key) => `v1a,${sign(null, Buffer.from(signed), key).toString('base64')}`),
    ];
    return {
      headers: {
        ...ownHeaders,
        // Receivers use `webhook-id` as an idempotency key, so it is the event's id, which all attempts, retries and
        // replays share.
        'webhook-id': eventId,
        'webhook-timestamp': timestamp,
        'webhook-signature': signatures.join(' '),
      },
      body,
    };
  },
};
