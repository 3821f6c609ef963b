import * as z from 'zod';
import { waitsSchema } from '../deliveries/retry-schedule.ts';
import { resourceSchema } from '../events/event.ts';
import { MASK, MOST_EVENTS } from './webhook.ts';

// https://www.rfc-editor.org/rfc/rfc7617#section-2: no control characters, and no colon in the user name.
const CONTROL = /\p{Cc}/u;

const hiddenAgain = (text: string): boolean => text === MASK;
const notHidden = 'is what reads show in place of the value: send the value itself';

export const basicAuthSchema = z.strictObject({
  username: z
    .string()
    .min(1)
    .max(255)
    .refine((text) => !text.includes(':') && !CONTROL.test(text), 'must hold neither a colon nor control characters'),
  password: z
    .string()
    .max(255)
    .refine((text) => !CONTROL.test(text), 'must not hold control characters')
    .refine((text) => !hiddenAgain(text), notHidden),
});

export const customHeadersSchema = z.record(
  z.string(),
  z
    .string()
    .max(4096)
    .refine((text) => !hiddenAgain(text), notHidden),
);

const fields = {
  url: z
    .string()
    .min(1)
    .max(2048)
    .meta({ examples: ['https://example.com/hooks/passpost'] }),
  events: z
    .array(z.string().min(1).max(128))
    .min(1)
    .meta({
      description: `At most ${MOST_EVENTS} names from the catalogue; doubles collapse. \`*\` means what the profile says.`,
      examples: [['task.accepted', 'task.delivered']],
    }),
  resource: resourceSchema.nullable().meta({
    description:
      'Only events whose `resource` equals it. For a webhook that wants more than 13 types less than 255 bytes, for 40 types 64.',
  }),
  description: z.string().max(500).nullable(),
  enabled: z.boolean().meta({ description: 'While disabled, deliveries are held; they go on once it is enabled.' }),
  profile_options: z
    .record(z.string(), z.unknown())
    .meta({ description: "The profile's own options: `GET /profiles` has their schema. Replaced as a whole." }),
  schedule: z
    .union([waitsSchema, z.string().min(1).max(64)])
    .nullable()
    .meta({ description: "Seconds before each retry, a profile's name for its schedule, or null for the own one." }),
  timeout_seconds: z.int().min(1).max(30),
  basic_auth: basicAuthSchema.nullable(),
  headers: customHeadersSchema
    .nullable()
    .meta({ description: 'Sent with every delivery. Replaced as a whole.', examples: [{ 'x-api-key': 'k-1' }] }),
  api_version: z.string().max(32).meta({ description: "A payload version of the profile's; by default its newest." }),
  allow_http: z.boolean(),
  max_per_second: z.int().min(1).max(1000).nullable(),
  max_in_flight: z.int().min(1).max(100).nullable(),
  auto_disable_after_hours: z.int().min(1).max(720).nullable(),
};

/** What makes a webhook. What depends on its profile, the catalogue or the network is checked after it. */
export const newWebhookSchema = z
  .strictObject({
    ...fields,
    resource: fields.resource.default(null),
    description: fields.description.default(null),
    enabled: fields.enabled.default(true),
    profile: z.string().max(64).default('passpost').meta({ description: 'What the receiver expects on the wire.' }),
    profile_options: fields.profile_options.default({}),
    schedule: fields.schedule.default(null),
    timeout_seconds: fields.timeout_seconds.default(10),
    basic_auth: fields.basic_auth.default(null),
    headers: fields.headers.default(null),
    api_version: fields.api_version.optional(),
    allow_http: fields.allow_http.default(false),
    secret: z
      .string()
      .max(512)
      .optional()
      .meta({ description: "An own secret, in the form the profile's receivers take. Without one, one is made." }),
    max_per_second: fields.max_per_second.default(null),
    max_in_flight: fields.max_in_flight.default(null),
    auto_disable_after_hours: fields.auto_disable_after_hours.default(null),
  })
  .meta({ id: 'NewWebhook' });
export type NewWebhook = z.output<typeof newWebhookSchema>;

/** A change of a webhook: any of its fields but profile and secret; null clears one. */
export const webhookChangesSchema = z.strictObject(fields).partial().meta({ id: 'WebhookChanges' });
export type WebhookChanges = z.output<typeof webhookChangesSchema>;
