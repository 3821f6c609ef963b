import { createHash, randomInt } from 'node:crypto';
import * as z from 'zod';
import { customerSchema } from '../foundation/customer.ts';
import { modes } from '../foundation/owner.ts';
import { type ResourceScope, resources } from '../foundation/resources.ts';
import { rowVersion } from '../foundation/row-version.ts';
import { MINUTE_MS } from '../foundation/time.ts';
import { ALPHABET, DRAWN_CHARACTERS, withChecksum } from './key-text.ts';

export type Scope = ResourceScope | 'admin';

/** All scopes that an API key may have. `write` does not include `read`; only the operator's key has `admin`. */
export const scopes: readonly Scope[] = [...Object.values(resources).flatMap((resource) => resource.scopes), 'admin'];

/** Scopes of an account's first API key. */
export const accountScopes: readonly Scope[] = scopes.filter((scope) => scope !== 'admin');

/** The valid API key of a request. The operator's key has no account. */
export interface Caller {
  /** The id of the API key; of an operator's key, the operator's id. */
  readonly keyId: string;
  /** The name of the API key, or of the operator. */
  readonly name?: string;
  readonly accountId: string | null;
  readonly scopes: readonly string[];
  readonly mode: 'live' | 'test';
  /** The customer of the account to whom the key is bound; null or absent = none. */
  readonly customer?: string | null;
  /** When the key expires, in milliseconds; null or absent = never. */
  readonly expiresAtMs?: number | null;
  /** The account's own retention in days; absent if the stack's applies. */
  readonly retentionDays?: number | undefined;
  /** Days after which settled tasks of the account are removed; absent = never. */
  readonly taskRetentionDays?: number | undefined;
}

/**
 * The state of a rate limit window, of an API key or of all API keys of an account together: the limit, the requests
 * left, and when the window ends.
 */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  readonly resetAtMs: number;
  /** True if this is the account's ceiling, not the limit of the key. */
  readonly isOfAccount?: boolean;
}

/**
 * The result of authentication: the request was counted and is within the key's limit and the account's ceiling, one of
 * these is exceeded, or no valid key has this hash.
 */
export type KeyCheck =
  | { readonly outcome: 'passed'; readonly caller: Caller; readonly quota: Quota }
  | { readonly outcome: 'limited'; readonly quota: Quota }
  | { readonly outcome: 'unknown' };

/** Length of an API key's rate limit window in milliseconds. A window begins with a request. */
export const RATE_LIMIT_WINDOW_MS = MINUTE_MS;

/** An API key as its row holds it, with the counter of its current rate limit window. */
export const storedApiKeySchema = z.object({
  v: rowVersion,
  id: z.string(),
  account_id: z.string().nullable().default(null),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  mode: z.enum(modes),
  /** The customer of the account to whom the key is bound. */
  customer: customerSchema.default(null),
  /** The maximum number of requests in one rate limit window. */
  limit: z.number(),
  /** The account's own retention in days; absent if the stack's applies. */
  retention_days: z.number().optional(),
  /** Days after which settled tasks of the account are removed; absent = never. */
  task_retention_days: z.number().optional(),
  /** The account's ceiling: the maximum number of requests of all its keys in a minute. The operator's key has none. */
  requests_per_minute: z.number().optional(),
  /** True if each request of the key also counts for the account, because its keys together could pass the ceiling. */
  counts_for_account: z.boolean().optional(),
  /** Start of the last rate limit window, in milliseconds; 0 before the first request. */
  ws: z.number(),
  /** Requests counted in the rate limit window that began at `ws`. */
  n: z.number(),
  created_at: z.string(),
  /** When the key expires, in milliseconds; set at its creation or by a rotation of the key. */
  expires_at: z.number().nullable().default(null),
  /** The `expires_at` that was set at the creation of the key. The key that replaces it by a rotation gets the same. */
  created_to_expire_at: z.number().nullable().default(null),
  /** When the key was revoked, in milliseconds. */
  revoked_at: z.number().nullable().default(null),
});
export type StoredApiKey = z.infer<typeof storedApiKeySchema>;

/** Returns the hash under which an API key's row is stored. */
export const hashApiKey = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Draws a new API key. It has 190 random bits, so a plain hash protects it well enough. */
export const drawApiKey = (mode: 'live' | 'test'): { key: string; hash: string; prefix: string } => {
  const drawn = Array.from({ length: DRAWN_CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  const key = withChecksum(`pp_${mode}_${drawn}`);
  return { key, hash: hashApiKey(key), prefix: key.slice(0, 12) };
};

/** An API key as a list shows it. */
export const apiKeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string().meta({ description: 'The first characters of the key.' }),
    scopes: z.array(z.enum(scopes)),
    mode: z.enum(modes),
    owner: customerSchema.meta({ description: 'The owner to which the key is bound; null for a key of the account.' }),
    created_at: z.iso.datetime(),
    last_used_at: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'Start of the rate limit window of the last request: up to a minute before that request.' }),
    expires_at: z.iso.datetime().nullable().meta({ description: 'Set if the key was created with it or was rotated.' }),
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof apiKeySchema>;

const timeOrNull = (timeMs: number | null): string | null => (timeMs ? new Date(timeMs).toISOString() : null);

export const showApiKey = (key: StoredApiKey): ApiKey =>
  apiKeySchema.parse({
    ...key,
    owner: key.customer,
    last_used_at: timeOrNull(key.ws),
    expires_at: timeOrNull(key.expires_at),
  });

export const nameSchema = z.string().max(100).regex(/\S/, 'must contain a visible character');
