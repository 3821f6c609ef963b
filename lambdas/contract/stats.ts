import { statsQuerySchema, type WebhookStats, webhookStatsSchema } from '../domain/history/webhook-stats.ts';
import type { Operation } from '../runtime/operation.ts';

export const getWebhookStats = {
  id: 'getWebhookStats',
  method: 'GET',
  path: '/api/public/v1/webhooks/{id}/stats',
  idPrefix: 'whk',
  tag: 'webhooks',
  summary: 'Read how it went with a webhook, hour by hour',
  description: [
    'Oldest first. An hour is the one in which the deliveries were created: what a retry brings later is counted there. Hours without deliveries are left out.',
    'The range is from the hour of `since` on and before `until`, at most 744 hours (31 days); without them the last 24 hours.',
    'Hours are counted when they have been over for 15 minutes, and those with deliveries still open again as they grow older. What is not counted for good, the current hour too, is read as it is now, newest first, up to about 1,000 deliveries; an hour beyond that shows what was last counted, or appears once it is, and `as_of` tells from when that is.',
    "`p50_ms` and `p95_ms` are how long the receiver took for each delivery's last attempt, within 5 %. `last_success_at` and `last_failure_at` are of the deliveries in the range.",
  ].join('\n\n'),
  scope: 'webhooks:read',
  query: statsQuerySchema,
  responses: { 200: webhookStatsSchema },
  exampleAnswer: {
    as_of: '2026-11-16T09:41:07.000Z',
    hours: [
      { hour: '2026-11-16T08:00:00.000Z', delivered: 1180, refused: 36, dead: 2, p50_ms: 42, p95_ms: 180 },
      { hour: '2026-11-16T09:00:00.000Z', delivered: 640, refused: 0, dead: 0, p50_ms: 40, p95_ms: 121 },
    ],
    success_rate: 0.9989,
    last_success_at: '2026-11-16T09:40:58.120Z',
    last_failure_at: '2026-11-16T08:52:11.004Z',
  } satisfies WebhookStats,
} as const satisfies Operation;
