import { listAudit } from '../contract/audit.ts';
import { type AuditEntry, auditEntrySchema } from '../domain/foundation/audit.ts';
import { type Page, pageToBody } from '../domain/foundation/page.ts';
import { type Route, route } from '../runtime/operation.ts';

export interface Audit {
  list(
    accountId: string,
    window: { readonly since?: number | undefined; readonly until?: number | undefined },
    page: { readonly limit: number; readonly after: string | null; readonly nowMs: number },
  ): Promise<Page<AuditEntry>>;
}

/** Returns the route of the call that lists who changed what. */
export const auditRoutes = (audit: Audit): Route[] => [
  route(listAudit, async ({ accountId, query: { limit, cursor, since, until }, cursorScope, nowMs }) => {
    const page = await audit.list(accountId, { since, until }, { limit, after: cursor?.id ?? null, nowMs });
    return { status: 200, body: pageToBody(page, (entry) => auditEntrySchema.parse(entry), cursorScope) };
  }),
];
