import { listAudit } from '../contract/audit.ts';
import { OPERATORS_AUDIT } from '../domain/accounts/operator.ts';
import { type AuditEntry, auditEntrySchema } from '../domain/foundation/audit.ts';
import { invalid } from '../domain/foundation/errors.ts';
import { type Page, pageToBody } from '../domain/foundation/page.ts';
import { type ApiRequest, type Route, route } from '../runtime/operation.ts';

export interface Audit {
  list(
    accountId: string,
    window: { readonly since?: number | undefined; readonly until?: number | undefined },
    page: { readonly limit: number; readonly after: string | null; readonly nowMs: number },
  ): Promise<Page<AuditEntry>>;
}

/** Returns the account whose audit a request reads. Throws `invalid` if an account names another account. */
const auditedAccount = ({ caller, query: { account } }: ApiRequest<typeof listAudit>): string => {
  if (caller.accountId === null) return account ?? OPERATORS_AUDIT;
  if (account === undefined || account === caller.accountId) return caller.accountId;
  throw invalid('account', 'forbidden', 'is another account, whose audit only an operator reads');
};

/** Returns the route of the call that lists who changed what. */
export const auditRoutes = (audit: Audit): Route[] => [
  route(listAudit, async (request) => {
    const { limit, cursor, since, until } = request.query;
    const page = { limit, after: cursor?.id ?? null, nowMs: request.nowMs };
    const entries = await audit.list(auditedAccount(request), { since, until }, page);
    return { status: 200, body: pageToBody(entries, (entry) => auditEntrySchema.parse(entry), request.cursorScope) };
  }),
];
