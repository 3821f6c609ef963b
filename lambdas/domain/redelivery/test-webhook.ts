import * as z from 'zod';
import type { Profile } from '../deliveries/profile.ts';
import { catalogue, isBuiltIn } from '../events/built-in-types.ts';
import { sampleOf } from '../events/event-samples.ts';
import { auditEntry } from '../foundation/audit.ts';
import { invalid, notFound } from '../foundation/errors.ts';
import { deliveryId, drawId } from '../foundation/id.ts';
import { EVERYTHING, type StoredWebhook } from '../webhooks/webhook.ts';
import { type SubmitRequest, type SubmitStore, submitOnce } from './submit-once.ts';

export const testSchema = z.strictObject({
  type: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .meta({ description: 'A type from the catalogue; by default the first type that the webhook names.' }),
});

export const testedSchema = z.object({ event_id: z.string(), delivery_id: z.string() }).meta({ id: 'TestedWebhook' });
type Tested = z.infer<typeof testedSchema>;

export interface TestDependencies {
  readonly webhooks: { findAny(owner: string, id: string): Promise<StoredWebhook | null> };
  readonly profileOf: (name: string) => Pick<Profile, 'events'>;
  /** Returns the account's own event types that have these names, by name. */
  readonly ownEventTypes: (owner: string, names: readonly string[]) => Promise<ReadonlyMap<string, unknown>>;
  readonly commands: SubmitStore;
}

/**
 * Returns the first event type that a webhook names. For a webhook that names `*`, returns the first type of its
 * profile, or the first type of the catalogue if the profile also begins with `*`.
 */
const firstTypeOf = ({ events, profile }: StoredWebhook, profileOf: TestDependencies['profileOf']): string => {
  const named = [events[0], profileOf(profile).events[0], catalogue[0]?.name];
  return named.find((type) => type !== undefined && type !== EVERYTHING) ?? '';
};

/**
 * Publishes a sample event that is sent, signed, to one webhook only, even while the webhook is disabled. Throws
 * `not_found` or `invalid`.
 */
export const testWebhook = (
  request: SubmitRequest & {
    readonly id: string;
    readonly type: string | undefined;
    readonly retentionDays: number | undefined;
  },
  { webhooks, profileOf, ownEventTypes, commands }: TestDependencies,
): Promise<{ readonly answer: Tested; readonly isRepeat: boolean }> =>
  submitOnce(request, commands, async () => {
    const { owner, id, nowMs } = request;
    const webhook = await webhooks.findAny(owner, id);
    if (webhook?.deleted_at !== null) throw notFound('webhook');
    const type = request.type ?? firstTypeOf(webhook, profileOf);
    const isKnown = isBuiltIn(type) || (await ownEventTypes(owner, [type])).has(type);
    if (!isKnown) throw invalid('type', 'unknown_event_type', 'is not in the catalogue of event types');

    const event_id = drawId('evt', nowMs);
    return {
      answer: { event_id, delivery_id: deliveryId(nowMs, event_id, id) },
      submission: {
        entry: auditEntry(request.by, 'webhook.tested', id, nowMs),
        event: {
          id: event_id,
          owner,
          customer: webhook.customer,
          origin: 'publish',
          type,
          resource: webhook.resource,
          data: JSON.stringify(sampleOf(type)),
          meta: null,
          publisher_id: null,
          sequence: null,
          retention_days: request.retentionDays,
          created_at: new Date(nowMs).toISOString(),
          test_of: id,
        },
      },
    };
  });
