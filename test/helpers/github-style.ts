// https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries: one signature over the raw body.
// The body is the event's data only; the event's type and the delivery's id are in headers.

import type { Profile } from '../../lambdas/domain/deliveries/profile.ts';
import { any2xx, type NoOptions, noOptions, ownHeaders } from '../../lambdas/profiles/parts/defaults.ts';
import { hmacSha256 } from '../../lambdas/profiles/parts/hmac-sha256.ts';
import { textSecret } from '../../lambdas/profiles/parts/text-secret.ts';

export const githubStyle: Profile<NoOptions> = {
  name: 'github-style',
  events: ['*'],
  options: noOptions,
  schedule: [60, 600, 3_600],
  headerPrefixes: ['x-github-', 'x-hub-'],
  apiVersions: ['2026-11-01'],
  secret: textSecret,
  rotation: 'switch',
  classify: any2xx,
  render: ({ deliveryId, eventType, dataJson }, { secrets }) => ({
    headers: {
      ...ownHeaders,
      'x-github-event': eventType,
      'x-github-delivery': deliveryId,
      'x-hub-signature-256': `sha256=${hmacSha256(secrets[0], dataJson, 'hex')}`,
    },
    body: dataJson,
  }),
};
