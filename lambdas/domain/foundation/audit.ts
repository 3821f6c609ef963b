import * as z from 'zod';
import { drawId } from './id.ts';

/** What a management call changes, whatever surface it comes by. Tasks and published events are their own record. */
export const auditActions = [
  'webhook.created',
  'webhook.changed',
  'webhook.deleted',
  'webhook.secret_rotated',
  'webhook.tested',
  'webhook.recovery_started',
  'delivery.retried',
  'event.replayed',
  'event.payload_deleted',
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
] as const;
export type AuditAction = (typeof auditActions)[number];

/** One change, as the account reads it: who did what to which thing, and from where. Nothing of what was sent. */
export const auditEntrySchema = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    key_id: z.string().meta({ description: "The API key that asked for it; the operator's where that did." }),
    action: z.enum(auditActions),
    target: z.string().meta({ description: 'The id, or the name, of what was changed.' }),
    ip: z.string().meta({ description: 'The address that the request came from.' }),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** An entry and the account in whose audit it stands: of both modes. */
export interface StoredAuditEntry extends AuditEntry {
  readonly account_id: string;
}

/** Who asks for a change. */
export interface Actor {
  readonly accountId: string;
  readonly keyId: string;
  readonly ip: string;
}

/** The entry of a change. It is put in one transaction with the change: each stands or falls with the other. */
export const auditEntry = (
  { accountId, keyId, ip }: Actor,
  action: AuditAction,
  target: string,
  nowMs: number,
): StoredAuditEntry => ({
  id: drawId('aud', nowMs),
  account_id: accountId,
  at: new Date(nowMs).toISOString(),
  key_id: keyId,
  action,
  target,
  ip,
});
