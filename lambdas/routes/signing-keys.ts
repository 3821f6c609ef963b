import * as operations from '../contract/public-keys.ts';
import type { SigningKeyDependencies } from '../domain/keyring/provide-signing-key.ts';
import { type RotatingSigningKeys, rotateSigningKeys } from '../domain/keyring/rotate-signing-keys.ts';
import { signingKeyViews } from '../domain/keyring/signing-keys.ts';
import { type Route, replayHeaders, route } from '../runtime/operation.ts';

/** Returns the routes of the calls about the signing keys of an account. */
export const signingKeyRoutes = (dependencies: SigningKeyDependencies<RotatingSigningKeys>): Route[] => [
  route(operations.listSigningKeys, async ({ owner, nowMs }) => {
    const all = await dependencies.store.list(owner);
    return { status: 200, body: { data: all.flatMap((keys) => signingKeyViews(keys, nowMs)) } };
  }),

  route(operations.rotateSigningKeys, async (request) => {
    const { answer, isRepeat } = await rotateSigningKeys(request, dependencies);
    return { status: 200, body: answer, headers: replayHeaders(isRepeat) };
  }),
];
