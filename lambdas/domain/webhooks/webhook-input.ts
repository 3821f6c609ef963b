import * as z from 'zod';
import { waitsSchema } from '../deliveries/retry-schedule.ts';
import { resourceSchema } from '../events/event.ts';
import { customerSchema } from '../foundation/customer.ts';
import { MASK, MOST_EVENTS } from './webhook.ts';
import { withEncodedPath } from './webhook-url.ts';

// Basic authentication allows no control characters, and no colon in the user name:
// https://www.rfc-editor.org/rfc/rfc7617#section-2
const CONTROL = /\p{Cc}/u;

const isMask = (text: string): boolean => text === MASK;
const notTheMask = 'is the mask that reads show instead of the value: send the value itself';

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
    .refine((text) => !isMask(text), notTheMask),
});

export const customHeadersSchema = z.record(
  z.string(),
  z
    .string()
    .max(4096)
    .refine((text) => !isMask(text), notTheMask),
);

const fields = {
  url: z
    .string()
    .min(1)
    .max(2048)
    .overwrite(withEncodedPath)
    .meta({
      description:
        'Characters that RFC 3986 does not allow in a path are percent-encoded. The query is sent as you write it.',
      examples: ['https://example.com/hooks/passpost'],
    }),
  events: z
    .array(z.string().min(1).max(128))
    .min(1)
    .meta({
      description: `At most ${MOST_EVENTS} names from the catalogue; duplicates are removed. \`*\` means the types of the profile.`,
      examples: [['task.accepted', 'task.delivered']],
    }),
  resource: resourceSchema.nullable().meta({
    description:
      'Only events with this `resource` are sent; null means all events. At most 255 bytes; less for a webhook with more than 13 types, 64 bytes with 40 types.',
  }),
  description: z.string().max(500).nullable(),
  enabled: z
    .boolean()
    .meta({ description: 'While false, deliveries are held. They are released once the webhook is enabled.' }),
  profile_options: z
    .record(z.string(), z.unknown())
    .meta({ description: "The profile's options; `GET /profiles` shows their schema. Replaced as a whole." }),
  schedule: z
    .union([waitsSchema, z.string().min(1).max(64)])
    .nullable()
    .meta({
      description:
        "Seconds before each retry (at least 1 from the fourth on), the name of a profile for its schedule, or null for the schedule of the webhook's own profile.",
    }),
  timeout_seconds: z.int().min(1).max(30),
  basic_auth: basicAuthSchema.nullable(),
  headers: customHeadersSchema
    .nullable()
    .meta({ description: 'Sent with every delivery. Replaced as a whole.', examples: [{ 'x-api-key': 'k-1' }] }),
  api_version: z.string().max(32).meta({ description: 'A payload version of the profile; by default the newest.' }),
  allow_http: z.boolean(),
  max_per_second: z.int().min(1).max(1000).nullable(),
  max_in_flight: z.int().min(1).max(100).nullable(),
  auto_disable_after_hours: z.int().min(1).max(720).nullable(),
};

/** The body of `POST /webhooks`. `checkSettings` checks the rules that depend on profile, catalogue and network. */
export const newWebhookSchema = z
  .strictObject({
    ...fields,
    resource: fields.resource.default(null),
    description: fields.description.default(null),
    enabled: fields.enabled.default(true),
    profile: z.string().max(64).default('passpost').meta({ description: 'The wire format that the receiver expects.' }),
    profile_options: fields.profile_options.default({}),
    schedule: fields.schedule.default(null),
    timeout_seconds: fields.timeout_seconds.default(10),
    basic_auth: fields.basic_auth.default(null),
    headers: fields.headers.default(null),
    api_version: fields.api_version.optional(),
    allow_http: fields.allow_http.default(false),
    owner: customerSchema.default(null),
    secret: z.string().max(512).optional().meta({
      description: 'Your own secret, in the form that the profile requires. Without it, a secret is generated.',
    }),
    max_per_second: fields.max_per_second.default(null),
    max_in_flight: fields.max_in_flight.default(null),
    auto_disable_after_hours: fields.auto_disable_after_hours.default(null),
  })
  .meta({ id: 'NewWebhook' });
export type NewWebhook = z.output<typeof newWebhookSchema>;

/** The body of a webhook's change: any fields except profile, owner and secret. `null` clears a field. */
export const webhookChangesSchema = z.strictObject(fields).partial().meta({ id: 'WebhookChanges' });
export type WebhookChanges = z.output<typeof webhookChangesSchema>;
