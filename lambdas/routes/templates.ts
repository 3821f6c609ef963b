import * as operations from '../contract/templates.ts';
import {
  type ChangingTemplates,
  deleteTemplate,
  putTemplate,
  type StoredTemplate,
  showTemplate,
} from '../domain/events/template.ts';
import { invalid, notFound } from '../domain/foundation/errors.ts';
import { type Page, type Position, pageToBody } from '../domain/foundation/page.ts';
import { type Route, route } from '../runtime/operation.ts';

export interface Templates extends ChangingTemplates {
  list(owner: string, limit: number, after: Position | null): Promise<Page<StoredTemplate>>;
}

/** Returns the routes of the calls about templates. */
export const templateRoutes = (templates: Templates): Route[] => [
  route(operations.putTemplate, async (request) => {
    const template = await putTemplate({ ...request, name: request.body.name }, templates);
    return { status: template.version === 1 ? 201 : 200, body: showTemplate(template) };
  }),

  route(operations.listTemplates, async ({ owner, query: { limit, cursor }, cursorScope }) => {
    // Refuses a cursor without a time. Templates are listed by time, so such a cursor belongs to another list.
    if (cursor?.at === '') throw invalid('cursor', 'invalid', 'is not a cursor of this list');
    const page = await templates.list(owner, limit, cursor ?? null);
    return { status: 200, body: pageToBody(page, showTemplate, cursorScope) };
  }),

  route(operations.getTemplate, async ({ owner, id }) => {
    const template = await templates.find(owner, id);
    if (!template) throw notFound('template');
    return { status: 200, body: showTemplate(template) };
  }),

  route(operations.deleteTemplate, async (request) => {
    await deleteTemplate(request, templates);
    return { status: 204 };
  }),
];
