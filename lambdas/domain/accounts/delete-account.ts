import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import type { Mode } from '../foundation/owner.ts';
import { MINUTE_MS } from '../foundation/time.ts';
import type { StoredAccount } from './account.ts';
import type { ListedApiKey } from './key-list.ts';

/** Kinds of content that block the deletion of an account, each with the call that removes it. */
const remedies = {
  webhooks: 'Delete its webhooks with DELETE /webhooks/{id}.',
  event_types: 'Delete its event types with DELETE /event-types/{name}.',
  templates: 'Delete its templates with DELETE /templates/{id}.',
  jobs: 'Complete its unfinished jobs with POST /jobs/{id}/complete; a recovery completes itself.',
  tasks:
    'Erase the personal data of its tasks with DELETE /tasks/{id}/personal-data. Complete or cancel unfinished tasks first.',
} as const;
export type ContentKind = keyof typeof remedies;

/**
 * A kind of content, for example webhooks, that blocks the deletion of an account, and the mode (`live` or `test`) in
 * which the account has this content.
 */
export interface AccountContent {
  readonly kind: ContentKind;
  readonly mode: Mode;
}

export interface DeletingAccounts {
  find(id: string): Promise<StoredAccount | null>;
  /** Returns the content that blocks the deletion of the account. */
  contents(id: string, nowMs: number): Promise<readonly AccountContent[]>;
  /** Forbids new API keys for the account until a time. Returns false if the account does not exist. */
  blockNewKeysUntil(id: string, untilMs: number): Promise<boolean>;
  keys(id: string): Promise<readonly ListedApiKey[]>;
  /** Revokes an API key and adds the audit entry, in one transaction. */
  revoke(id: string, key: ListedApiKey, entry: StoredAuditEntry, nowMs: number): Promise<boolean>;
  /**
   * Deletes the account's webhook counts and signing keys, which never expire and have no use without the account.
   */
  clear(id: string): Promise<void>;
  /**
   * Deletes the account's row, adds the audit entry and submits the commands that erase the rest of its tasks, in one
   * transaction. Returns false if the account does not exist.
   */
  remove(id: string, entry: StoredAuditEntry, nowMs: number): Promise<boolean>;
}

/**
 * Milliseconds for which an account that is being deleted gets no new API keys: longer than a function runs (29 s) plus
 * the difference between two clocks.
 */
const NO_NEW_KEYS_MS = 2 * MINUTE_MS;
const KEYS_AT_ONCE = 10;

const nameOf = ({ kind, mode }: AccountContent): string => `${kind.replace('_', ' ')} (${mode})`;

const notEmpty = (contents: readonly AccountContent[]): PassPostError => {
  const advice = [...new Set(contents.map(({ kind }) => remedies[kind]))];
  return new PassPostError(
    'conflict',
    `Nothing was deleted: the account still has ${contents.map(nameOf).join(', ')}. ${advice.join(' ')} Use a key of the account and of the same mode.`,
    {
      errors: contents.map(({ kind, mode }) => ({
        path: `${mode}.${kind}`,
        code: 'not_empty',
        message: remedies[kind],
      })),
    },
  );
};

/**
 * Deletes an account whose content is gone or expires by itself. First forbids new API keys, then revokes all keys,
 * then deletes the row: no valid key ever lacks its account. If the function dies before the end, the account still
 * exists with fewer keys, and a repeat starts from the beginning. Throws `not_found`, or `conflict` if content blocks
 * the deletion.
 */
export const deleteAccount = async (
  { id, by, nowMs }: { readonly id: string; readonly by: Actor; readonly nowMs: number },
  accounts: DeletingAccounts,
): Promise<void> => {
  if (!(await accounts.find(id))) throw notFound('account');
  const contents = await accounts.contents(id, nowMs);
  if (contents.length > 0) throw notEmpty(contents);
  if (!(await accounts.blockNewKeysUntil(id, nowMs + NO_NEW_KEYS_MS))) throw notFound('account');
  // The operator deletes the account; the account's own audit shows it.
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
  if (!(await accounts.remove(id, auditEntry(actor, 'account.deleted', id, nowMs), nowMs))) throw notFound('account');
};
