import { EVERYTHING } from './new-webhook.ts';
import type { Profile } from './profile.ts';
import type { StoredWebhook } from './webhook.ts';

/** Where a webhook stands among those who want something: the types, and what stands there for it. */
export interface WebhookRoutes {
  readonly types: readonly string[];
  /** `whk_…|resource`; nothing behind the bar means every resource. */
  readonly member: string;
}

/** `*` is spelt out as its profile means it; where that is everything, it stays `*`. */
export const webhookRoutes = (
  { id, events, resource }: Pick<StoredWebhook, 'id' | 'events' | 'resource'>,
  profile: Pick<Profile, 'events'>,
): WebhookRoutes => ({
  types: [...new Set(events.flatMap((name) => (name === EVERYTHING ? profile.events : [name])))],
  member: `${id}|${resource ?? ''}`,
});
