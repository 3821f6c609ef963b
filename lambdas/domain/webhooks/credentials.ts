import type { FieldError } from '../foundation/errors.ts';
import type { StoredWebhook } from './webhook.ts';
import type { WebhookChanges } from './webhook-input.ts';

const originOf = (url: string): string | undefined => URL.parse(url)?.origin;

/** Returns whether a change sends the webhook's requests to another scheme, host or port, or newly allows plain http. */
const isOriginChanged = (before: StoredWebhook, { url, allow_http }: WebhookChanges): boolean =>
  (url !== undefined && originOf(url) !== originOf(before.url)) || (allow_http === true && !before.allow_http);

/**
 * Returns a fault for `basic_auth` and for `headers` if the webhook has them, the change moves the webhook to another
 * origin, and the change does not name them. Otherwise whoever may change webhooks could read them at an own receiver.
 */
export const missingCredentials = (before: StoredWebhook, changes: WebhookChanges): FieldError[] => {
  if (!isOriginChanged(before, changes)) return [];
  const missing = (['basic_auth', 'headers'] as const).filter(
    (name) => before[name] !== null && changes[name] === undefined,
  );
  const message =
    'must be sent again, or as null, in the call that changes scheme, host or port or allows http: PATCH /api/public/v1/webhooks/{id} takes it';
  return missing.map((path) => ({ path, code: 'credentials_required', message }));
};
