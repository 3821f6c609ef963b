import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import type { Mode } from '../foundation/owner.ts';
import { MINUTE_MS } from '../foundation/time.ts';
import type { StoredAccount } from './account.ts';
import type { ListedApiKey } from './rotate-api-key.ts';

/** What stays until somebody takes it away, or waits for somebody, and how it goes. */
const remedies = {
  webhooks: 'Delete its webhooks with DELETE /webhooks/{id}.',
  event_types: 'Delete its event types with DELETE /event-types/{name}.',
  templates: 'Delete its templates with DELETE /templates/{id}.',
  jobs: 'Complete its unfinished jobs with POST /jobs/{id}/complete; a recovery ends by itself.',
  tasks: 'Tasks are kept for ever, and so is an account that has any: revoke its keys with DELETE /keys/{id} instead.',
} as const;
export type ContentKind = keyof typeof remedies;

/** Something of an account that would be lost with it. */
export interface AccountContent {
  readonly kind: ContentKind;
  readonly mode: Mode;
}

export interface DeletingAccounts {
  find(id: string): Promise<StoredAccount | null>;
  /** What would be lost with the account unasked. */
  contents(id: string, nowMs: number): Promise<readonly AccountContent[]>;
  /** Lets the account get no new keys until then; false where there is none. */
  blockNewKeysUntil(id: string, untilMs: number): Promise<boolean>;
  keys(id: string): Promise<readonly ListedApiKey[]>;
  /** Ends a key at once, everywhere, and leaves the entry. */
  revoke(id: string, key: ListedApiKey, entry: StoredAuditEntry, nowMs: number): Promise<boolean>;
  /** Takes away what stands for nothing any more and would stay for ever. */
  clear(id: string): Promise<void>;
  /** Takes the account away and leaves the entry, or neither; false where there is none. */
  remove(id: string, entry: StoredAuditEntry): Promise<boolean>;
}

/** Longer than a function lives (29 s), and than the clocks of two may differ. */
const CLOSED_MS = 2 * MINUTE_MS;
const KEYS_AT_ONCE = 10;

const name = ({ kind, mode }: AccountContent): string => `${kind.replace('_', ' ')} (${mode})`;

const notEmpty = (remaining: readonly AccountContent[]): PassPostError => {
  const advice = [...new Set(remaining.map(({ kind }) => remedies[kind]))];
  return new PassPostError(
    'conflict',
    `Nothing was deleted: the account still has ${remaining.map(name).join(', ')}. ${advice.join(' ')} That takes keys of its own, of the same mode.`,
    {
      errors: remaining.map(({ kind, mode }) => ({
        path: `${mode}.${kind}`,
        code: 'not_empty',
        message: remedies[kind],
      })),
    },
  );
};

/**
 * Deletes an account that has nothing left but what ages. First it gets no new keys, then those it has are ended, then its
 * row goes: whoever dies in between leaves an account that is there, with fewer keys, and no living key is ever without
 * its account. A repeat begins at the beginning.
 */
export const deleteAccount = async (
  { id, by, nowMs }: { readonly id: string; readonly by: Actor; readonly nowMs: number },
  accounts: DeletingAccounts,
): Promise<void> => {
  if (!(await accounts.find(id))) throw notFound('account');
  const remaining = await accounts.contents(id, nowMs);
  if (remaining.length > 0) throw notEmpty(remaining);
  if (!(await accounts.blockNewKeysUntil(id, nowMs + CLOSED_MS))) throw notFound('account');
  // The operator's doing, in the account's own audit.
  const actor = { ...by, accountId: id };
  const keys = await accounts.keys(id);
  for (let i = 0; i < keys.length; i += KEYS_AT_ONCE) {
    await Promise.all(
      keys
        .slice(i, i + KEYS_AT_ONCE)
        .map((key) => accounts.revoke(id, key, auditEntry(actor, 'key.revoked', key.id, nowMs), nowMs)),
    );
  }
  await accounts.clear(id);
  if (!(await accounts.remove(id, auditEntry(actor, 'account.deleted', id, nowMs)))) throw notFound('account');
};
