import type { FieldError } from '../foundation/errors.ts';
import { bareHost, checkWebhookUrl, faultOfTarget, type WebhookUrlRules } from './webhook-url.ts';

/** Resolves a host (a name or an address). 'forbidden' = the host leads to an address that is not public. */
export type Resolve = (host: string) => Promise<{ readonly outcome: 'public' | 'forbidden' | 'unresolved' }>;

/**
 * Checks a webhook's URL at registration and returns its faults; empty = valid. Accepts a name that does not resolve,
 * because the name may not exist yet.
 */
export const checkAddress = async (
  text: string,
  rules: WebhookUrlRules,
  resolve: Resolve,
): Promise<readonly FieldError[]> => {
  const { errors, url } = checkWebhookUrl(text, rules);
  if (!url) return errors;
  const fault = faultOfTarget(text);
  if (fault) return [fault];
  const { outcome } = await resolve(bareHost(url));
  if (outcome !== 'forbidden') return [];
  return [{ path: 'url', code: 'forbidden_host', message: 'resolves to an address that is not public' }];
};
