import { statsQuerySchema, type WebhookStats, webhookStatsSchema } from '../domain/history/webhook-stats.ts';
import type { Operation } from '../runtime/operation.ts';

export const getWebhookStats = {
  id: 'getWebhookStats',
  method: 'GET',
  path: '/api/public/v1/webhooks/{id}/stats',
  idPrefix: 'whk',
  tag: 'webhooks',
  summary: 'Read the hourly statistics of a webhook',
  description: [
    'Oldest hour first. A delivery belongs to the hour in which it was created, also if a retry changes its result later. Hours without deliveries are left out.',
    'The range starts with the hour of `since` and ends before `until`. It covers at most 744 hours (31 days); the default is the last 24 hours.',
    'An hour is counted 15 minutes after its end, and again later if it has unfinished deliveries. Hours without a final count, such as the current one, are counted live: newest first, up to about 1,000 deliveries. Beyond that limit an hour shows its last count, or is missing if it was never counted. Every number was correct at `as_of` or later.',
    "`p50_ms` and `p95_ms` are the receiver's durations of each delivery's last attempt, within 5 %. `last_success_at` and `last_failure_at` refer to deliveries in the range.",
  ].join('\n\n'),
  scope: 'webhooks:read',
  boundKeys: 'own',
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
