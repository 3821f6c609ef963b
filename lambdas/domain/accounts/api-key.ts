import { createHash, randomInt } from 'node:crypto';
import * as z from 'zod';
import { modes } from '../foundation/owner.ts';
import { type ResourceScope, resources } from '../foundation/resources.ts';
import { rowVersion } from '../foundation/row-version.ts';

export type Scope = ResourceScope | 'admin';

/** Everything that a key may be allowed to do. `write` does not include `read`; only the operator's key has `admin`. */
export const scopes: readonly Scope[] = [...Object.values(resources).flatMap((resource) => resource.scopes), 'admin'];

/** What an account's first key may do. */
export const accountScopes: readonly Scope[] = scopes.filter((scope) => scope !== 'admin');

/** The living API key of a request. The operator's key has no account. */
export interface Caller {
  readonly keyId: string;
  readonly accountId: string | null;
  readonly scopes: readonly string[];
  readonly mode: 'live' | 'test';
  /** For how many days the account's data can be read, where that is its own. */
  readonly retentionDays?: number | undefined;
}

/** Where a key stands in its minute. */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  readonly resetAtMs: number;
}

/** What the counter says of a key: it lives and this request is within its limit, it is over, or there is no such living key. */
export type KeyCheck =
  | { readonly outcome: 'passed'; readonly caller: Caller; readonly quota: Quota }
  | { readonly outcome: 'limited'; readonly quota: Quota }
  | { readonly outcome: 'unknown' };

/** A key's minute begins with its first request and ends this much later. */
export const MINUTE_MS = 60_000;

/** A key as its row holds it, with the counter of its running minute. Times without `_at` are milliseconds. */
export const storedApiKeySchema = z.object({
  v: rowVersion,
  id: z.string(),
  account_id: z.string().nullable().default(null),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  mode: z.enum(modes),
  /** Requests in a minute. */
  limit: z.number(),
  /** The account's own, in days. */
  retention_days: z.number().optional(),
  /** When the last minute began; 0 before the first request. */
  ws: z.number(),
  /** Requests in it. */
  n: z.number(),
  created_at: z.string(),
  /** Milliseconds; set by a rotation. */
  expires_at: z.number().nullable().default(null),
  /** Milliseconds. */
  revoked_at: z.number().nullable().default(null),
});
export type StoredApiKey = z.infer<typeof storedApiKeySchema>;

export const hashApiKey = (key: string): string => createHash('sha256').update(key).digest('hex');

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A new key: 190 bits nobody can guess, so that a plain hash is enough to keep it by. */
export const drawApiKey = (mode: 'live' | 'test'): { key: string; hash: string; prefix: string } => {
  const drawn = Array.from({ length: 32 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  const key = `pp_${mode}_${drawn}`;
  return { key, hash: hashApiKey(key), prefix: key.slice(0, 12) };
};

/** A key as a list shows it. */
export const apiKeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string().meta({ description: 'How the key begins.' }),
    scopes: z.array(z.enum(scopes)),
    mode: z.enum(modes),
    created_at: z.iso.datetime(),
    last_used_at: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When the minute of its last request began: up to a minute before that request.' }),
    expires_at: z.iso.datetime().nullable().meta({ description: 'Set where the key was rotated.' }),
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.infer<typeof apiKeySchema>;

const timeOrNull = (timeMs: number | null): string | null => (timeMs ? new Date(timeMs).toISOString() : null);

export const showApiKey = (key: StoredApiKey): ApiKey =>
  apiKeySchema.parse({ ...key, last_used_at: timeOrNull(key.ws), expires_at: timeOrNull(key.expires_at) });

export const nameSchema = z.string().max(100).regex(/\S/, 'Holds no visible character.');
