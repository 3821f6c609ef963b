import * as operations from '../contract/public-keys.ts';
import type { PublicKeys } from '../domain/keyring.ts';
import { publicKeyPem } from '../domain/public-key-pem.ts';
import { type Route, route } from '../runtime/operation.ts';

const keepForMinutes = { 'cache-control': 'public, max-age=300' };

/** The calls that tell anybody what deliveries are signed with. */
export const publicKeyRoutes = (publicKeys: () => Promise<PublicKeys>): Route[] => [
  route(operations.getPublicKeys, async () => {
    const { jwks } = await publicKeys();
    return { status: 200, body: jwks, headers: keepForMinutes };
  }),

  route(operations.getInpostKeys, async ({ query: { algorithm } }) => {
    const keys = await publicKeys();
    if (algorithm !== undefined) {
      const body = publicKeyPem(keys, algorithm === 'rsa-sha256' ? 'RS256' : 'ES256');
      return { status: 200, body, headers: { ...keepForMinutes, 'content-type': 'application/x-pem-file' } };
    }
    const body = { rsa: publicKeyPem(keys, 'RS256'), ec: publicKeyPem(keys, 'ES256') };
    return { status: 200, body, headers: keepForMinutes };
  }),
];
