import type { Caller } from '../domain/accounts/api-key.ts';
import { notFound, PassPostError } from '../domain/foundation/errors.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import { nounByIdPrefix, type ResourceIdPrefix } from '../domain/foundation/resources.ts';
import type { Operation } from './operation.ts';

/**
 * Checks a call with a key that is bound to a customer of the account. Throws `forbidden` if the call concerns the whole
 * account, and `not_found` if the path names a thing of another customer. A call with any other key costs nothing.
 */
export const requireOwn = async (
  { customer = null, accountId, mode }: Caller,
  { id: name, boundKeys, idPrefix }: Operation,
  params: Readonly<Record<string, string>>,
  nowMs: number,
  customerOf: ((owner: string, id: string, nowMs: number) => Promise<string | null | undefined>) | undefined,
): Promise<void> => {
  if (customer === null || boundKeys === 'open') return;
  if (boundKeys === undefined) {
    throw new PassPostError('forbidden', 'This API key is bound to an owner, and the call concerns the whole account.');
  }
  const { id } = params;
  if (id === undefined) return;
  if (!customerOf) throw new Error(`${name} is for bound keys, but the handler has no customerOf`);
  const found = await customerOf(ownerKey({ accountId: accountId ?? '', mode }), id, nowMs);
  if (found !== customer) throw notFound(nounByIdPrefix[idPrefix as ResourceIdPrefix] ?? 'resource');
};
