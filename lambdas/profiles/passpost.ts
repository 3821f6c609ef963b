// https://passpost.app/business/api: one signature over the raw body, no timestamp.
// The verifier on that page throws if the lengths differ, so the header always holds exactly one signature of 71 characters.

import type { Profile } from '../domain/deliveries/profile.ts';
import { any2xx, type NoOptions, noOptions, ownHeaders, sevenHours } from './parts/defaults.ts';
import { eventBody } from './parts/event-body.ts';
import { hmacSha256 } from './parts/hmac-sha256.ts';
import { textSecret } from './parts/text-secret.ts';

export const passpost: Profile<NoOptions> = {
  name: 'passpost',
  events: ['task.accepted', 'task.picked_up', 'task.delivered', 'task.completed', 'task.cancelled'],
  options: noOptions,
  // PassPost's page says "5 attempts" and lists five waits. We read this as five retries after the first attempt, so
  // that every wait is used.
  schedule: sevenHours,
  headerPrefixes: ['x-passpost-'],
  apiVersions: ['2026-11-01'],
  secret: textSecret,
  rotation: 'switch',
  classify: any2xx,
  render: (input, { secrets }) => {
    const body = eventBody(input);
    return {
      headers: {
        ...ownHeaders,
        'x-passpost-event': input.eventType,
        'x-passpost-delivery-id': input.deliveryId,
        'x-passpost-signature': `sha256=${hmacSha256(secrets[0], body, 'hex')}`,
      },
      body,
    };
  },
};
