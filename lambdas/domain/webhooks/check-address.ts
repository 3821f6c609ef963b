import type { FieldError } from '../foundation/errors.ts';
import { bareHost, checkWebhookUrl, type WebhookUrlRules } from './webhook-url.ts';

/** Tells whether a host, a name or an address, leads anywhere that is not public. */
export type Resolve = (host: string) => Promise<{ readonly outcome: 'public' | 'forbidden' | 'unresolved' }>;

/** What is wrong with a webhook's address, at registration. A name that does not resolve is taken: it may not be there yet. */
export const checkAddress = async (
  text: string,
  rules: WebhookUrlRules,
  resolve: Resolve,
): Promise<readonly FieldError[]> => {
  const { errors, url } = checkWebhookUrl(text, rules);
  if (!url) return errors;
  const { outcome } = await resolve(bareHost(url));
  if (outcome !== 'forbidden') return [];
  return [{ path: 'url', code: 'forbidden_host', message: 'leads to an address that is not public' }];
};
