import * as z from 'zod';
import { drawId } from './id.ts';

/**
 * The changes that are audited, on every API surface. Creating or moving a task and publishing an event need no audit
 * entry: the stored row is its own record.
 */
export const auditActions = [
  'webhook.created',
  'webhook.changed',
  'webhook.deleted',
  'webhook.secret_rotated',
  'webhook.tested',
  'signing_key.rotated',
  'webhook.recovery_started',
  'delivery.retried',
  'event.replayed',
  'event.payload_deleted',
  'task.personal_data_erased',
  'job.deleted',
  'event_type.put',
  'event_type.deleted',
  'template.put',
  'template.deleted',
  'key.created',
  'key.rotated',
  'key.revoked',
  'account.created',
  'account.changed',
  'account.deleted',
  'operator.created',
  'operator.key_rotated',
  'operator.deleted',
] as const;
export type AuditAction = (typeof auditActions)[number];

/** An audit entry as the API shows it: who changed what, when and from which address. It holds no request content. */
export const auditEntrySchema = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    key_id: z.string().meta({ description: "The API key that made the change, possibly the operator's." }),
    action: z.enum(auditActions),
    target: z.string().meta({ description: 'The id or the name of the changed thing.' }),
    ip: z.string().meta({ description: 'The address that the request came from.' }),
    fields: z
      .array(z.string())
      .meta({ description: 'The names of the changed fields; empty where all of it changed.' }),
    actor: z
      .object({
        type: z.enum(['key', 'operator']),
        id: z.string(),
        name: z.string().meta({ description: 'The name of the API key or of the operator at the time of the change.' }),
      })
      .meta({ description: 'Who made the change.' }),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** An audit entry with the account to whose audit it belongs. An account's live and test entries are in one audit. */
export interface StoredAuditEntry extends AuditEntry {
  readonly account_id: string;
}

/** The API caller who makes a change. */
export interface Actor {
  readonly accountId: string;
  /** The id of the API key, or of the operator. */
  readonly keyId: string;
  readonly ip: string;
  /** The name of the API key, or of the operator. */
  readonly name?: string;
  readonly isOperator?: boolean;
}

/**
 * Creates the audit entry of a change. Stores write the entry in the same transaction as the change. `fields` = the names
 * of the changed fields, never their values.
 */
export const auditEntry = (
  { accountId, keyId, ip, name = '', isOperator = false }: Actor,
  action: AuditAction,
  target: string,
  nowMs: number,
  fields: readonly string[] = [],
): StoredAuditEntry => ({
  id: drawId('aud', nowMs),
  account_id: accountId,
  at: new Date(nowMs).toISOString(),
  key_id: keyId,
  action,
  target,
  ip,
  fields: [...fields],
  actor: { type: isOperator ? 'operator' : 'key', id: keyId, name },
});

/** Returns the names of the fields that a request sets. */
export const fieldsOf = (changes: object): string[] =>
  Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [] : [name]));
