import type { Caller, KeyCheck, Quota, Scope } from '../domain/accounts/api-key.ts';
import { PassPostError } from '../domain/foundation/errors.ts';
import { toSeconds } from '../domain/foundation/time.ts';
import type { Surface } from './problem.ts';

/** Looks an API key up and counts the request against the key's limit. */
export type Authenticate = (apiKey: string, nowMs: number) => Promise<KeyCheck>;

/** A loose pattern of API keys. A text that does not match is refused without a call to the table. */
const KEY = /^pp_(?:live|test)_[\x21-\x7e]{8,200}$/;

const readKey = (surface: Surface, authorization: string | undefined): string | null => {
  const text = (authorization ?? '').trim();
  const key = surface === 'passcreator' ? text : (/^bearer +(\S+)$/i.exec(text)?.[1] ?? '');
  return KEY.test(key) ? key : null;
};

const unauthorized = (surface: Surface): PassPostError =>
  new PassPostError('unauthorized', 'The Authorization header must hold a valid API key.', {
    headers: surface === 'passcreator' ? {} : { 'www-authenticate': 'Bearer realm="PassPost"' },
  });

const secondsUntil = (timeMs: number, nowMs: number): number => Math.max(1, toSeconds(timeMs - nowMs));

/**
 * Returns the headers that tell a client its rate limit.
 * https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-11.html
 */
export const quotaToHeaders = (quota: Quota, nowMs: number): Record<string, string> => {
  const policy = quota.isOfAccount ? 'account' : 'default';
  return {
    'ratelimit-policy': `"${policy}";q=${quota.limit};w=60`,
    ratelimit: `"${policy}";r=${quota.remaining};t=${secondsUntil(quota.resetAtMs, nowMs)}`,
  };
};

/**
 * Returns the caller of a request. Throws `unauthorized` for an unknown key and `rate_limited` above the key's limit
 * or the account's ceiling.
 * `onQuota` gets the state of the limit before `rate_limited` is thrown, so that this refusal carries the rate limit
 * headers, too.
 */
export const authenticateCaller = async (
  surface: Surface,
  authenticate: Authenticate,
  authorization: string | undefined,
  nowMs: number,
  onQuota: (quota: Quota) => void,
): Promise<Caller> => {
  const key = readKey(surface, authorization);
  const check: KeyCheck = key === null ? { outcome: 'unknown' } : await authenticate(key, nowMs);
  if (check.outcome === 'unknown') throw unauthorized(surface);
  onQuota(check.quota);
  if (check.outcome === 'passed') return check.caller;
  const { isOfAccount = false, limit } = check.quota;
  const limited = isOfAccount ? 'All keys of this account together allow' : 'This key allows';
  throw new PassPostError('rate_limited', `${limited} ${limit} requests a minute.`, {
    headers: { 'retry-after': String(secondsUntil(check.quota.resetAtMs, nowMs)) },
  });
};

/**
 * Throws `forbidden` if the key lacks the scope of the call. An operator belongs to no account, so operators make only
 * `admin` calls and calls that are for operators too.
 */
export const requireScope = (
  { accountId, scopes }: Caller,
  { scope, isForOperators = false }: { readonly scope: Scope; readonly isForOperators?: boolean },
): void => {
  if (isForOperators && scopes.includes('admin')) return;
  if (!scopes.includes(scope)) throw new PassPostError('forbidden', `This key lacks the scope ${scope}.`);
  if (accountId === null && scope !== 'admin') {
    throw new PassPostError('forbidden', "An operator's key belongs to no account: use a key of the account.");
  }
};
