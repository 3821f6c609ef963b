/** What a key may be allowed. `write` does not include `read`; `admin` is the operator's alone. */
export const scopes = [
  'tasks:read',
  'tasks:write',
  'webhooks:read',
  'webhooks:write',
  'events:read',
  'events:write',
  'jobs:read',
  'jobs:write',
  'keys:read',
  'keys:write',
  'audit:read',
  'admin',
] as const;
export type Scope = (typeof scopes)[number];

/** The living API key of a request. The operator's key has no account. */
export interface Caller {
  readonly keyId: string;
  readonly accountId: string | null;
  readonly scopes: readonly string[];
  readonly mode: 'live' | 'test';
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
