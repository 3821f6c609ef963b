import * as z from 'zod';
import { type Template, templateSchema } from '../domain/events/template.ts';
import { pageQuery, pageSchema } from '../domain/foundation/page.ts';
import type { Operation } from '../runtime/operation.ts';

const path = '/api/public/v1/templates';
const tag = 'events';

const template: Template = {
  id: '5c1ee4d3-9a8d-4b5e-8f0e-2f1a5d1c7b90',
  name: 'Boarding pass',
  created_at: '2026-11-16T09:30:00.000Z',
  updated_at: '2026-11-16T09:30:00.000Z',
};

export const putTemplate = {
  id: 'putTemplate',
  method: 'PUT',
  path: `${path}/{id}`,
  tag,
  summary: 'Create or update a template',
  description:
    'You choose the id: 1 to 64 of the characters A–Z a–z 0–9 . _ ~ -. Every update, even one that changes nothing, publishes `pass_template_updated` with the id as its `resource`. A creation publishes nothing. Answers 201 for a new template, otherwise 200.',
  scope: 'events:write',
  body: z.strictObject({ name: templateSchema.shape.name }),
  responses: { 201: templateSchema, 200: templateSchema },
  errors: [409],
  example: { name: 'Boarding pass' },
  exampleAnswer: template,
} as const satisfies Operation;

export const listTemplates = {
  id: 'listTemplates',
  method: 'GET',
  path,
  tag,
  summary: 'List templates, newest first',
  scope: 'events:read',
  query: z.strictObject(pageQuery(null)),
  responses: { 200: pageSchema(templateSchema) },
  exampleAnswer: { data: [template], next_cursor: null },
} as const satisfies Operation;

export const getTemplate = {
  id: 'getTemplate',
  method: 'GET',
  path: `${path}/{id}`,
  tag,
  summary: 'Read a template',
  scope: 'events:read',
  responses: { 200: templateSchema },
  exampleAnswer: template,
} as const satisfies Operation;

export const deleteTemplate = {
  id: 'deleteTemplate',
  method: 'DELETE',
  path: `${path}/{id}`,
  tag,
  summary: 'Delete a template',
  description: 'Webhooks that are tied to the template are not changed.',
  scope: 'events:write',
  responses: { 204: null },
} as const satisfies Operation;
