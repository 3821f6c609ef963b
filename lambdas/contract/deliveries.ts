import { z } from 'zod';
import { deliveryStatuses } from '../domain/delivery.ts';
import { deliveryViewSchema, deliveryWithAttemptsSchema } from '../domain/delivery-view.ts';
import { isId } from '../domain/id.ts';
import { instantSchema, pageQuery, pageSchema } from '../domain/page.ts';
import type { Operation } from '../runtime/operation.ts';

export const listDeliveries = {
  id: 'listDeliveries',
  method: 'GET',
  path: '/api/public/v1/webhooks/{id}/deliveries',
  idPrefix: 'whk',
  tag: 'deliveries',
  summary: "List a webhook's deliveries, newest first",
  description: 'By the time of their events: from `since` on and before `until`.',
  scope: 'webhooks:read',
  query: z.strictObject({
    status: z.enum(deliveryStatuses).optional(),
    event_type: z.string().min(1).max(128).optional(),
    event_id: z
      .string()
      .refine((text) => isId('evt', text), 'is no id of an event')
      .optional(),
    since: instantSchema.optional(),
    until: instantSchema.optional(),
    ...pageQuery('dlv'),
  }),
  responses: { 200: pageSchema(deliveryViewSchema) },
} as const satisfies Operation;

export const getDelivery = {
  id: 'getDelivery',
  method: 'GET',
  path: '/api/public/v1/deliveries/{id}',
  idPrefix: 'dlv',
  tag: 'deliveries',
  summary: 'Read a delivery with its attempts',
  scope: 'webhooks:read',
  responses: { 200: deliveryWithAttemptsSchema },
} as const satisfies Operation;
