import type { Profile } from '../deliveries/profile.ts';
import { invalid } from '../foundation/errors.ts';
import { EVERYTHING, type StoredWebhook } from './webhook.ts';

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

/**
 * What changes a webhook changes the rows that say who wants its types, in one transaction, and one of DynamoDB's holds
 * 4 MB with all that stands in these rows: a thousand webhooks that take so much of them each fit, whatever they want.
 */
const MOST_BYTES = 3800;

/** Refuses a resource that is too long for so many types. */
export const checkRoutes = ({ types, member }: WebhookRoutes): void => {
  const excess = Buffer.byteLength(member) - Math.floor(MOST_BYTES / types.length);
  if (excess <= 0) return;
  const most = Buffer.byteLength(member.slice(member.indexOf('|') + 1)) - excess;
  throw invalid('resource', 'too_big', `must be at most ${most} bytes for a webhook that wants ${types.length} types`);
};

/** The webhook and the resource of a member; null means every resource. The reverse of `webhookRoutes(…).member`. */
export const parseRouteMember = (member: string): { readonly webhookId: string; readonly resource: string | null } => {
  const [webhookId = '', resource = ''] = member.split(/\|(.*)/s);
  return { webhookId, resource: resource === '' ? null : resource };
};
