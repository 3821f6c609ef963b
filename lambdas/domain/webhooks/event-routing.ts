import type { Profile } from '../deliveries/profile.ts';
import type { FieldError } from '../foundation/errors.ts';
import { EVERYTHING, type StoredWebhook } from './webhook.ts';

/** The event types whose routing rows list a webhook, and the text that stands for the webhook in these rows. */
export interface WebhookRoutes {
  /** The customer to whom the webhook belongs. Each customer has routing rows of its own. */
  readonly customer: string | null;
  readonly types: readonly string[];
  /**
   * The text of the entry, `whk_…|resource`: the webhook's id, and the resource to which its events are limited. An
   * empty resource means that the webhook gets the events of every resource.
   */
  readonly member: string;
}

/**
 * Returns the routing entry of a webhook and the types that get it. `*` is replaced by the types that the profile lists
 * for it, and stays `*` if the profile lists `*`.
 */
export const webhookRoutes = (
  { id, customer, events, resource }: Pick<StoredWebhook, 'id' | 'customer' | 'events' | 'resource'>,
  profile: Pick<Profile, 'events'>,
): WebhookRoutes => ({
  customer,
  types: [...new Set(events.flatMap((name) => (name === EVERYTHING ? profile.events : [name])))],
  member: `${id}|${resource ?? ''}`,
});

/**
 * The maximum number of bytes that the entries of one webhook take in all its routing rows together. A change of a
 * webhook updates these rows in one transaction, and DynamoDB limits a transaction to 4 MB, which includes the rows in
 * full. With this limit, the rows of a thousand webhooks fit.
 */
const MOST_BYTES = 3800;

/** Returns the fault of a webhook's resource that is too long for the number of its event types. */
export const routesFaults = ({ types, member }: Pick<WebhookRoutes, 'types' | 'member'>): readonly FieldError[] => {
  const excess = Buffer.byteLength(member) - Math.floor(MOST_BYTES / types.length);
  if (excess <= 0) return [];
  const most = Buffer.byteLength(member.slice(member.indexOf('|') + 1)) - excess;
  const message = `must be at most ${most} bytes for a webhook that wants ${types.length} types`;
  return [{ path: 'resource', code: 'too_big', message }];
};

/**
 * Returns the webhook id and the resource of a member (a webhook's entry in a routing row); null means every resource.
 * The reverse of `webhookRoutes(…).member`.
 */
export const parseRouteMember = (member: string): { readonly webhookId: string; readonly resource: string | null } => {
  const [webhookId = '', resource = ''] = member.split(/\|(.*)/s);
  return { webhookId, resource: resource === '' ? null : resource };
};
