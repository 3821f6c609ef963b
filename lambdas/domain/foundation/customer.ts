import * as z from 'zod';
import { invalid } from './errors.ts';

// An account can serve customers of its own. The API calls such a customer `owner`. In rows and code the word is
// `customer`, because an owner there is an account in one mode.

/** The name of a customer of the account; null = the thing belongs to the account itself. */
export const customerSchema = z.string().min(1).max(128).nullable().meta({
  description:
    "One of the account's own customers, in 1–128 characters; null: the account itself. Webhooks of an owner receive only events of the same owner.",
});

/**
 * Returns whether a caller may use a thing. An API key of the account (`caller` = null) may use everything of the
 * account; a key that is bound to a customer may use only things of the same customer.
 */
export const mayUse = (caller: string | null, thing: string | null): boolean => caller === null || caller === thing;

/**
 * Returns whether a webhook may receive an event: the webhook belongs to the account itself, or to the customer to whom
 * the event belongs.
 */
export const mayReceive = (webhook: string | null, event: string | null): boolean =>
  webhook === null || webhook === event;

/**
 * Returns the customer of a new thing: the customer to whom the caller's key is bound, otherwise the one that the body
 * names. Throws `invalid` at `path` if the body names another customer than that of the key.
 */
export const customerOfNew = (caller: string | null, named: string | null, path: string): string | null => {
  if (caller === null) return named;
  if (named === null || named === caller) return caller;
  throw invalid(path, 'other_owner', 'is another owner than that of this API key');
};
