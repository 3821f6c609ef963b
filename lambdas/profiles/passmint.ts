// https://passmint.io/docs/webhooks: a timestamped signature in the form that Stripe's library verifies, under another name.
// The whole secret is the key, `whsec_` included, as UTF-8; receivers refuse a `t` of five minutes ago, so that each attempt signs anew.

import type { Profile } from '../domain/deliveries/profile.ts';
import { any2xx, type NoOptions, noOptions } from './parts/defaults.ts';
import { eventBody } from './parts/event-body.ts';
import { hmacSha256 } from './parts/hmac-sha256.ts';
import { textSecret } from './parts/text-secret.ts';

export const passmint: Profile<NoOptions> = {
  name: 'passmint',
  events: [
    'pass.created',
    'pass.updated',
    'pass.url_viewed',
    'pass.downloaded',
    'pass.installed',
    'pass.removed',
    'pass.voided',
  ],
  options: noOptions,
  // Their list begins with "immediate": seven requests, the gaps between them as listed.
  schedule: [30, 300, 1_800, 7_200, 43_200, 86_400],
  headerPrefixes: ['passmint-'],
  apiVersions: ['2026-11-01'],
  secret: textSecret,
  rotation: 'overlap',
  judge: any2xx,
  render: (input, { secrets }, _options, sentAt) => {
    const body = eventBody(input);
    const timestamp = Math.floor(sentAt.getTime() / 1000);
    const signatures = secrets.map((secret) => `v1=${hmacSha256(secret, `${timestamp}.${body}`, 'hex')}`);
    return {
      headers: {
        'content-type': 'application/json',
        'user-agent': 'passmint-webhooks/1.0',
        'passmint-event-type': input.eventType,
        'passmint-delivery-id': input.deliveryId,
        'passmint-signature': [`t=${timestamp}`, ...signatures].join(','),
      },
      body,
    };
  },
};
