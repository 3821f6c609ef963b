import * as z from 'zod';
import type { Operation } from '../runtime/operation.ts';

// Passcreator's own calls about subscriptions, with Passcreator's names. https://developer.passcreator.com

const path = '/api/hook';
const nothing = z.object({});

const subscriptionSchema = z.strictObject({
  target_url: z.string().min(1).max(2048),
  event: z.string().min(1).max(128),
  subscription_url: z.string().max(2048).nullable().default(null),
  retryEnabled: z.boolean().default(false),
  signPayload: z.boolean().default(false),
});

export const subscribeToAll = {
  id: 'passcreatorSubscribe',
  method: 'POST',
  path: `${path}/subscribe`,
  tag: 'passcreator',
  summary: 'Subscribe to an event',
  scope: 'webhooks:write',
  query: z.strictObject({ generateAccessToken: z.enum(['true', 'false']).optional() }),
  body: subscriptionSchema,
  responses: { 201: z.object({ accessToken: z.string().optional() }) },
} as const satisfies Operation;

export const subscribeToTemplate = {
  ...subscribeToAll,
  id: 'passcreatorSubscribeToTemplate',
  path: `${path}/subscribe/{template}`,
  summary: "Subscribe to one template's event",
} as const satisfies Operation;

/**
 * The call that removes the subscriptions with a URL. The URL may be in the query, because some clients drop the body
 * of a DELETE.
 */
export const unsubscribeByPost = {
  id: 'passcreatorUnsubscribe',
  method: 'POST',
  path: `${path}/unsubscribe`,
  tag: 'passcreator',
  summary: 'Remove every subscription with a URL',
  scope: 'webhooks:write',
  query: z.strictObject({ target_url: z.string().optional() }),
  body: z.strictObject({ target_url: z.string().optional() }),
  isBodyOptional: true,
  responses: { 200: nothing },
} as const satisfies Operation;

export const unsubscribeByDelete = {
  ...unsubscribeByPost,
  id: 'passcreatorUnsubscribeByDelete',
  method: 'DELETE',
} as const satisfies Operation;

export const listPasscreatorHooks = {
  id: 'passcreatorList',
  method: 'GET',
  path: `${path}/list`,
  tag: 'passcreator',
  summary: 'List subscriptions',
  scope: 'webhooks:read',
  responses: {
    200: z.array(
      z.object({
        subscription_url: z.string().nullable(),
        target_url: z.string(),
        event: z.string(),
        pass_template: z.string().nullable(),
      }),
    ),
  },
} as const satisfies Operation;

export const getPasscreatorKey = {
  id: 'passcreatorPublicKey',
  method: 'GET',
  path: `${path}/publickey`,
  tag: 'passcreator',
  summary: 'Read the public key that verifies signed payloads',
  scope: 'webhooks:read',
  responses: { 200: z.object({ publicKey: z.string() }) },
} as const satisfies Operation;
