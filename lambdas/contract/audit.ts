import * as z from 'zod';
import { type AuditEntry, auditEntrySchema } from '../domain/foundation/audit.ts';
import { instantSchema, pageQuery, pageSchema } from '../domain/foundation/page.ts';
import type { Operation } from '../runtime/operation.ts';
import { accountIdSchema } from './account-id.ts';

const entry: AuditEntry = {
  id: 'aud_01KA8Z3M9Q4T7V2X5B8D1F6H0J',
  at: '2026-11-16T09:30:00.000Z',
  key_id: 'key_01KA8Z3M9Q4T7V2X5B8D1F6H0J',
  action: 'webhook.changed',
  target: 'whk_01KA8Z3M9Q4T7V2X5B8D1F6H0J',
  ip: '203.0.113.7',
  fields: ['url', 'description'],
  actor: { type: 'key', id: 'key_01KA8Z3M9Q4T7V2X5B8D1F6H0J', name: 'front desk' },
};

export const listAudit = {
  id: 'listAudit',
  method: 'GET',
  path: '/api/public/v1/audit',
  tag: 'audit',
  summary: 'List who changed what, newest first',
  description:
    "Every change by a management call, on any surface and in both modes: webhooks, keys, event types, templates, redeliveries, erased payloads, and the operator's changes to the account. Tasks and published events have no entries, because they are readable themselves. The range starts at `since` and ends before `until`. Entries are stored for 400 days, whatever the account's retention is. An operator reads the audit of any account, deleted ones too, with `account`, and without it the changes of operators.",
  scope: 'audit:read',
  isForOperators: true,
  query: z.strictObject({
    account: accountIdSchema.optional(),
    since: instantSchema.optional(),
    until: instantSchema.optional(),
    ...pageQuery('aud'),
  }),
  responses: { 200: pageSchema(auditEntrySchema) },
  exampleAnswer: { data: [entry], next_cursor: null },
} as const satisfies Operation;
