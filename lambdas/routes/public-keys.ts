import * as operations from '../contract/public-keys.ts';
import type { SigningAlg } from '../domain/deliveries/profile.ts';
import { notFound, PassPostError } from '../domain/foundation/errors.ts';
import { isMode, ownerKey } from '../domain/foundation/owner.ts';
import {
  cacheSeconds,
  publishedJwks,
  type StoredSigningKey,
  type StoredSigningKeys,
  signerAt,
  toPem,
} from '../domain/keyring/signing-keys.ts';
import { type Route, route } from '../runtime/operation.ts';

const cacheFor = (seconds: number) => ({ 'cache-control': `public, max-age=${seconds}` });

const keysOf = (all: readonly StoredSigningKeys[], alg: SigningAlg): readonly StoredSigningKey[] =>
  all.find((keys) => keys.alg === alg)?.keys ?? [];

const pemOrNull = (key: StoredSigningKey | undefined): string | null => (key ? toPem(key) : null);

const inpostKeys = (all: readonly StoredSigningKeys[], nowMs: number) => {
  const [rsa, ec] = [keysOf(all, 'RS256'), keysOf(all, 'ES256')];
  const next = [rsa, ec].map((keys) => keys.find(({ signs_from }) => signs_from > nowMs));
  const starts = next.flatMap((key) => key?.signs_from ?? []);
  return {
    rsa: pemOrNull(signerAt(rsa, nowMs)),
    ec: pemOrNull(signerAt(ec, nowMs)),
    next:
      starts.length === 0
        ? null
        : { rsa: pemOrNull(next[0]), ec: pemOrNull(next[1]), signs_from: new Date(Math.min(...starts)).toISOString() },
  };
};

/**
 * Returns the routes of the calls that publish the keys that deliveries are signed with. The calls need no API key.
 * `list` returns all signing keys of an owner.
 */
export const publicKeyRoutes = (list: (owner: string) => Promise<readonly StoredSigningKeys[]>): Route[] => [
  route(operations.getPublicKeys, async () => ({ status: 200, body: { keys: [] }, headers: cacheFor(300) })),

  route(operations.getAccountKeys, async ({ id, mode, nowMs }) => {
    if (!isMode(mode)) throw notFound('account');
    const all = await list(ownerKey({ accountId: id, mode }));
    return { status: 200, body: publishedJwks(all, nowMs), headers: cacheFor(cacheSeconds(all, nowMs)) };
  }),

  route(operations.getInpostKeys, async ({ query: { account, mode, algorithm }, nowMs }) => {
    const all = await list(ownerKey({ accountId: account, mode }));
    const headers = cacheFor(cacheSeconds(all, nowMs));
    if (algorithm === undefined) return { status: 200, body: inpostKeys(all, nowMs), headers };
    const alg = algorithm === 'rsa-sha256' ? 'RS256' : 'ES256';
    const key = signerAt(keysOf(all, alg), nowMs);
    if (!key) {
      const message = `No such account, or it has no ${alg} key in this mode. It gets one with its first webhook that needs it.`;
      throw new PassPostError('not_found', message);
    }
    return { status: 200, body: toPem(key), headers: { ...headers, 'content-type': 'application/x-pem-file' } };
  }),
];
