import * as z from 'zod';
import { nameSchema } from '../accounts/api-key.ts';
import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { invalid, notFound, PassPostError } from '../foundation/errors.ts';
import { deriveTimedId } from '../foundation/id.ts';
import { isOwnWrite } from '../foundation/own-write.ts';
import { rowVersion } from '../foundation/row-version.ts';
import type { StoredEvent } from './event.ts';

/**
 * The form of a template id, which the account chooses. Its characters need no escaping in a path. Dots alone are not
 * allowed, because they would mean a folder.
 */
const ID = /^(?!\.+$)[A-Za-z0-9._~-]{1,64}$/;
export const isTemplateId = (text: string): boolean => ID.test(text);

/** A template of passes. Events about a pass name its template, and a subscription may be limited to a template. */
export const templateSchema = z
  .object({ id: z.string(), name: nameSchema, created_at: z.iso.datetime(), updated_at: z.iso.datetime() })
  .meta({ id: 'Template' });
export type Template = z.infer<typeof templateSchema>;

/** A template as its row holds it. */
export const storedTemplateSchema = templateSchema.extend({
  v: rowVersion,
  owner: z.string(),
  /** The version of the template: 1 at creation, raised by every update. */
  version: z.number(),
  /** The account's own retention in days when the row was written last; absent if the stack's applies. */
  retention_days: z.number().optional(),
  /** Id of the request that wrote the row last; see `isOwnWrite`. */
  written_by: z.string(),
  /** X-Ray's trace id of the request that wrote the row last. */
  trace_id: z.string().optional(),
});
export type StoredTemplate = z.infer<typeof storedTemplateSchema>;

export const showTemplate = (stored: StoredTemplate): Template => templateSchema.parse(stored);

/**
 * Returns the event of a template's update, or `null` for the creation, which has none. The same update always gives
 * the same event.
 */
export const templateEvent = (template: StoredTemplate): StoredEvent | null => {
  const { id, owner, version, updated_at, written_by, trace_id } = template;
  if (version === 1) return null;
  return {
    id: deriveTimedId('evt', Date.parse(updated_at), 'template', owner, id, String(version)),
    owner,
    customer: null,
    origin: 'change',
    type: 'pass_template_updated',
    resource: id,
    data: JSON.stringify({ template: showTemplate(template) }),
    meta: null,
    publisher_id: null,
    sequence: version,
    retention_days: template.retention_days,
    created_at: updated_at,
    call: { request_id: written_by, trace_id },
  };
};

export interface ChangingTemplates {
  find(owner: string, id: string): Promise<StoredTemplate | null>;
  /**
   * Writes the template and the audit entry, in one transaction, if the stored template has this version (`null` = none
   * is stored). Returns whether it wrote.
   */
  put(template: StoredTemplate, version: number | null, entry: StoredAuditEntry): Promise<boolean>;
  /**
   * Deletes the template and adds the audit entry, in one transaction. Returns false if the template does not exist.
   */
  remove(owner: string, id: string, entry: StoredAuditEntry): Promise<boolean>;
}

/** A change of one template, with its owner and the API caller. */
export interface TemplateRequest {
  readonly owner: string;
  readonly id: string;
  readonly by: Actor;
  readonly nowMs: number;
}

export interface TemplateChange extends TemplateRequest {
  readonly name: string;
  readonly requestId: string;
  readonly retentionDays: number | undefined;
  readonly traceId?: string | undefined;
}

/** The maximum number of tries to change a template. A try fails if the template changed between read and write. */
const MAX_TRIES = 5;

/**
 * Creates or updates a template. Throws `invalid` for a malformed id, `conflict` if concurrent requests change the
 * template in every try.
 */
export const putTemplate = async (
  { owner, id, name, requestId, traceId, retentionDays, by, nowMs }: TemplateChange,
  templates: ChangingTemplates,
): Promise<StoredTemplate> => {
  if (!isTemplateId(id)) throw invalid('id', 'invalid_format', 'must be 1 to 64 of the characters A–Z a–z 0–9 . _ ~ -');
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const present = await templates.find(owner, id);
    if (present && isOwnWrite(present, requestId)) return present;
    // The clocks of two machines differ: the time of an update is never before the time of the last update.
    const updatedAt = new Date(
      Math.max(nowMs, Date.parse(present?.updated_at ?? new Date(0).toISOString())),
    ).toISOString();
    const next: StoredTemplate = {
      id,
      owner,
      name,
      version: (present?.version ?? 0) + 1,
      created_at: present?.created_at ?? updatedAt,
      updated_at: updatedAt,
      retention_days: retentionDays,
      written_by: requestId,
      trace_id: traceId,
    };
    if (await templates.put(next, present?.version ?? null, auditEntry(by, 'template.put', id, nowMs, ['name'])))
      return next;
  }
  throw new PassPostError('conflict', 'Other requests are changing the template. Please try again.');
};

/** Deletes a template. Subscriptions that are limited to the template stay. Throws `not_found`. */
export const deleteTemplate = async (
  { owner, id, by, nowMs }: TemplateRequest,
  templates: Pick<ChangingTemplates, 'remove'>,
): Promise<void> => {
  if (!(await templates.remove(owner, id, auditEntry(by, 'template.deleted', id, nowMs)))) throw notFound('template');
};
