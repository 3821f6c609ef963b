import * as z from 'zod';
import { nameSchema } from '../accounts/api-key.ts';
import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { invalid, notFound, PassPostError } from '../foundation/errors.ts';
import { deriveTimedId } from '../foundation/id.ts';
import { isOwnWrite } from '../foundation/own-write.ts';
import { rowVersion } from '../foundation/row-version.ts';
import type { StoredEvent } from './event.ts';

/** The account's own id of a template: what needs no escaping in a path. Dots alone would be taken for a folder. */
const ID = /^(?!\.+$)[A-Za-z0-9._~-]{1,64}$/;
export const isTemplateId = (text: string): boolean => ID.test(text);

/** A template of passes, as far as events are concerned: what a subscription may be tied to. */
export const templateSchema = z
  .object({ id: z.string(), name: nameSchema, created_at: z.iso.datetime(), updated_at: z.iso.datetime() })
  .meta({ id: 'Template' });
export type Template = z.infer<typeof templateSchema>;

/** A template as its row holds it. */
export const storedTemplateSchema = templateSchema.extend({
  v: rowVersion,
  owner: z.string(),
  /** Raised by every update; the first is the creation. */
  version: z.number(),
  /** The account's own retention, in days, as it was when this was last written; absent where it is the stack's. */
  retention_days: z.number().optional(),
  /** The request that wrote it last: a repeated write knows its own success by it. */
  written_by: z.string(),
  /** And the trace it belonged to. */
  trace_id: z.string().optional(),
});
export type StoredTemplate = z.infer<typeof storedTemplateSchema>;

export const showTemplate = (stored: StoredTemplate): Template => templateSchema.parse(stored);

/** The event of a template's update, the same one however often it is derived; its creation is none. */
export const templateEvent = (template: StoredTemplate): StoredEvent | null => {
  const { id, owner, version, updated_at, written_by, trace_id } = template;
  if (version === 1) return null;
  return {
    id: deriveTimedId('evt', Date.parse(updated_at), 'template', owner, id, String(version)),
    owner,
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
  /** Writes the template, with the entry, if it still has the version, null for not being there: false where it has not. */
  put(template: StoredTemplate, version: number | null, entry: StoredAuditEntry): Promise<boolean>;
  /** Leaves the entry besides. False where there was no such template. */
  remove(owner: string, id: string, entry: StoredAuditEntry): Promise<boolean>;
}

/** Whose template, which one, and who asks. */
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

/** Others may change it between reading and writing; so often it is tried again. */
const TRIES = 5;

/** Makes a template, or changes the one that is there. */
export const putTemplate = async (
  { owner, id, name, requestId, traceId, retentionDays, by, nowMs }: TemplateChange,
  templates: ChangingTemplates,
): Promise<StoredTemplate> => {
  if (!isTemplateId(id)) throw invalid('id', 'invalid_format', 'must be 1 to 64 of the characters A–Z a–z 0–9 . _ ~ -');
  for (let tries = 0; tries < TRIES; tries++) {
    const present = await templates.find(owner, id);
    if (present && isOwnWrite(present, requestId)) return present;
    // Never before the last change, however the clocks of two machines differ.
    const now = new Date(Math.max(nowMs, Date.parse(present?.updated_at ?? new Date(0).toISOString()))).toISOString();
    const next: StoredTemplate = {
      id,
      owner,
      name,
      version: (present?.version ?? 0) + 1,
      created_at: present?.created_at ?? now,
      updated_at: now,
      retention_days: retentionDays,
      written_by: requestId,
      trace_id: traceId,
    };
    if (await templates.put(next, present?.version ?? null, auditEntry(by, 'template.put', id, nowMs))) return next;
  }
  throw new PassPostError('conflict', 'The template is being changed by others. Please try again.');
};

/** Takes a template away; subscriptions that are tied to it stay. */
export const deleteTemplate = async (
  { owner, id, by, nowMs }: TemplateRequest,
  templates: Pick<ChangingTemplates, 'remove'>,
): Promise<void> => {
  if (!(await templates.remove(owner, id, auditEntry(by, 'template.deleted', id, nowMs)))) throw notFound('template');
};
