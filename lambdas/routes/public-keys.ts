import * as operations from '../contract/public-keys.ts';
import type { PublicKeys } from '../domain/keyring/keyring.ts';
import { cacheSeconds, nextPublicKeyPem, publicKeyPem, publishedJwks } from '../domain/keyring/published-keys.ts';
import { type Route, route } from '../runtime/operation.ts';

const cacheFor = (seconds: number) => ({ 'cache-control': `public, max-age=${seconds}` });

/** Returns the routes of the calls that publish the keys that deliveries are signed with. The calls need no API key. */
export const publicKeyRoutes = (publicKeys: () => Promise<PublicKeys>): Route[] => [
  route(operations.getPublicKeys, async ({ nowMs }) => ({
    status: 200,
    body: publishedJwks(await publicKeys(), nowMs),
    headers: cacheFor(300),
  })),

  route(operations.getInpostKeys, async ({ query: { algorithm }, nowMs }) => {
    const keys = await publicKeys();
    const headers = cacheFor(cacheSeconds(keys, nowMs));
    if (algorithm !== undefined) {
      const body = publicKeyPem(keys, algorithm === 'rsa-sha256' ? 'RS256' : 'ES256', nowMs);
      return { status: 200, body, headers: { ...headers, 'content-type': 'application/x-pem-file' } };
    }
    const [nextRsa, nextEc] = [nextPublicKeyPem(keys, 'RS256', nowMs), nextPublicKeyPem(keys, 'ES256', nowMs)];
    const body = {
      rsa: publicKeyPem(keys, 'RS256', nowMs),
      ec: publicKeyPem(keys, 'ES256', nowMs),
      next: nextRsa && nextEc && { rsa: nextRsa.pem, ec: nextEc.pem, signs_from: nextRsa.signsFrom },
    };
    return { status: 200, body, headers };
  }),
];
