import * as operations from '../contract/templates.ts';
import {
  type ChangingTemplates,
  deleteTemplate,
  putTemplate,
  type StoredTemplate,
  showTemplate,
} from '../domain/events/template.ts';
import { invalid, notFound } from '../domain/foundation/errors.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import { type Page, type Position, pageToBody } from '../domain/foundation/page.ts';
import { type Route, route } from '../runtime/operation.ts';

export interface Templates extends ChangingTemplates {
  list(owner: string, limit: number, after: Position | null): Promise<Page<StoredTemplate>>;
}

/** The calls about templates. */
export const templateRoutes = (templates: Templates): Route[] => [
  route(operations.putTemplate, async ({ owner, params, body, requestId, traceId, retentionDays, by, nowMs }) => {
    const change = {
      owner: ownerKey(owner),
      id: params.id ?? '',
      name: body.name,
      requestId,
      traceId,
      retentionDays,
      by,
      nowMs,
    };
    const template = await putTemplate(change, templates);
    return { status: template.version === 1 ? 201 : 200, body: showTemplate(template) };
  }),

  route(operations.listTemplates, async ({ owner, query: { limit, cursor } }) => {
    // Templates are in order of their time, which a cursor of another list may lack.
    if (cursor?.at === '') throw invalid('cursor', 'invalid', 'is not a cursor of this list');
    const page = await templates.list(ownerKey(owner), limit, cursor ?? null);
    return { status: 200, body: pageToBody(page, showTemplate) };
  }),

  route(operations.getTemplate, async ({ owner, params }) => {
    const template = await templates.find(ownerKey(owner), params.id ?? '');
    if (!template) throw notFound('template');
    return { status: 200, body: showTemplate(template) };
  }),

  route(operations.deleteTemplate, async ({ owner, params, by, nowMs }) => {
    await deleteTemplate({ owner: ownerKey(owner), id: params.id ?? '', by, nowMs }, templates);
    return { status: 204 };
  }),
];
