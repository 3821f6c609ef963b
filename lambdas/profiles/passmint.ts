// https://passmint.io/docs/webhooks: a signature with a timestamp, in Stripe's form but with another header name.
// The key is the whole secret as UTF-8, including `whsec_`. Receivers refuse a `t` older than five minutes, so each attempt signs again.

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
  // PassMint's list begins with "immediate", so it means seven requests with the listed gaps between them.
  schedule: [30, 300, 1_800, 7_200, 43_200, 86_400],
  headerPrefixes: ['passmint-'],
  apiVersions: ['2026-11-01'],
  secret: textSecret,
  rotation: 'overlap',
  classify: any2xx,
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
