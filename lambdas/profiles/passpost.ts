// https://passpost.app/business/api: one signature over the raw body, no timestamp.
// The page's verifier compares buffers and throws when their lengths differ, so the header always holds exactly one signature of 71 characters.

import * as z from 'zod';
import type { Profile } from '../domain/profile.ts';
import { hmacSha256 } from './parts/hmac-sha256.ts';

const noOptions = z.strictObject({});

export const passpost: Profile<z.infer<typeof noOptions>> = {
  name: 'passpost',
  events: ['task.accepted', 'task.picked_up', 'task.delivered', 'task.completed', 'task.cancelled'],
  options: noOptions,
  // The page says "5 attempts" and lists five waits: read as five retries after the first attempt, so that each is used.
  schedule: [60, 300, 900, 3_600, 21_600],
  apiVersions: ['2026-11-01'],
  secret: z
    .string()
    .min(8)
    .max(256)
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode'),
  rotation: 'switch',
  judge: (status) => (status >= 200 && status <= 299 ? 'delivered' : 'refused'),
  render: ({ eventId, eventType, createdAt, dataJson, deliveryId }, { secrets }) => {
    const type = JSON.stringify(eventType);
    const body = `{"id":"${eventId}","type":${type},"created_at":"${createdAt}","data":${dataJson}}`;
    return {
      headers: {
        'content-type': 'application/json',
        'user-agent': 'passpost-webhooks/1.0',
        'x-passpost-event': eventType,
        'x-passpost-delivery-id': deliveryId,
        'x-passpost-signature': `sha256=${hmacSha256(secrets[0], body, 'hex')}`,
      },
      body,
    };
  },
};
