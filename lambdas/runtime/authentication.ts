import type { Caller, KeyCheck, Quota, Scope } from '../domain/accounts/api-key.ts';
import { PassPostError } from '../domain/foundation/errors.ts';
import type { Surface } from './problem.ts';

/** Asks whether a key lives, and counts the request. */
export type Authenticate = (apiKey: string, nowMs: number) => Promise<KeyCheck>;

/** A key's form, loosely: what is certainly none costs no question to the table. */
const KEY = /^pp_(?:live|test)_[\x21-\x7e]{8,200}$/;

const readKey = (surface: Surface, authorization: string | undefined): string | null => {
  const text = (authorization ?? '').trim();
  const key = surface === 'passcreator' ? text : (/^bearer +(\S+)$/i.exec(text)?.[1] ?? '');
  return KEY.test(key) ? key : null;
};

const unauthorized = (surface: Surface): PassPostError =>
  new PassPostError('unauthorized', 'A living API key is needed in the Authorization header.', {
    headers: surface === 'passcreator' ? {} : { 'www-authenticate': 'Bearer realm="PassPost"' },
  });

const secondsUntil = (timeMs: number, nowMs: number): number => Math.max(1, Math.ceil((timeMs - nowMs) / 1000));

/** https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-11.html */
export const quotaToHeaders = (quota: Quota, nowMs: number): Record<string, string> => ({
  'ratelimit-policy': `"default";q=${quota.limit};w=60`,
  ratelimit: `"default";r=${quota.remaining};t=${secondsUntil(quota.resetAtMs, nowMs)}`,
});

/** Who calls. `tell` hears of the quota as soon as it is known, so that refusals carry it, too. */
export const authenticateCaller = async (
  surface: Surface,
  authenticate: Authenticate,
  authorization: string | undefined,
  nowMs: number,
  tell: (quota: Quota) => void,
): Promise<Caller> => {
  const key = readKey(surface, authorization);
  const check: KeyCheck = key === null ? { outcome: 'unknown' } : await authenticate(key, nowMs);
  if (check.outcome === 'unknown') throw unauthorized(surface);
  tell(check.quota);
  if (check.outcome === 'passed') return check.caller;
  throw new PassPostError('rate_limited', `More than ${check.quota.limit} requests in this key's minute.`, {
    headers: { 'retry-after': String(secondsUntil(check.quota.resetAtMs, nowMs)) },
  });
};

/** The operator's key belongs to no account: it does the operator's calls and nothing in anybody's name. */
export const requireScope = (caller: Caller, scope: Scope): void => {
  if (!caller.scopes.includes(scope)) throw new PassPostError('forbidden', `This key lacks the scope ${scope}.`);
  if (caller.accountId === null && scope !== 'admin') {
    throw new PassPostError('forbidden', "The operator's key belongs to no account: use a key of the account.");
  }
};
