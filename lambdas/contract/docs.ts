import * as z from 'zod';
import type { Operation } from '../runtime/operation.ts';

const tag = 'about this API';

export const getOpenApi = {
  id: 'getOpenApi',
  method: 'GET',
  path: '/api/public/v1/openapi.json',
  tag,
  summary: 'Read this description (OpenAPI 3.1)',
  scope: null,
  responses: { 200: z.looseObject({ openapi: z.string() }) },
} as const satisfies Operation;

export const getHealth = {
  id: 'getHealth',
  method: 'GET',
  path: '/health',
  tag,
  summary: 'Check that the API answers',
  scope: null,
  responses: { 200: z.object({ status: z.literal('ok') }) },
  exampleAnswer: { status: 'ok' },
} as const satisfies Operation;

// The calls `getDocs` and `getDocsAsset` answer the pages of the readable reference, so the OpenAPI document leaves
// them out.
export const getDocs = {
  id: 'getDocs',
  method: 'GET',
  path: '/docs',
  tag,
  summary: 'The readable reference',
  scope: null,
  responses: { 200: null },
} as const satisfies Operation;

export const getDocsAsset = {
  ...getDocs,
  id: 'getDocsAsset',
  path: '/docs/{asset}',
} as const satisfies Operation;
