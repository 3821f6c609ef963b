import * as z from 'zod';
import { nameSchema } from '../domain/accounts/api-key.ts';
import { type Operator, operatorSchema } from '../domain/accounts/operator.ts';
import { DAY_SECONDS } from '../domain/foundation/time.ts';
import type { Operation } from '../runtime/operation.ts';

const path = '/api/public/v1/operators';
const tag = 'operators';

const shownOnce = operatorSchema
  .extend({
    key: z
      .string()
      .optional()
      .meta({ description: 'The API key. It is shown in this answer only; a repeated answer omits it.' }),
  })
  .meta({ id: 'NewOperator' });

const operator: Operator = {
  id: 'opr_01KA8Z3M9Q4T7V2X5B8D1F6H0J',
  name: 'night shift',
  prefix: 'pp_live_4fQz',
  created_at: '2026-11-16T09:30:00.000Z',
};
const newOperator = { ...operator, key: 'pp_live_4fQzExampleExampleExampleExample4ZJrrx' };

export const createOperator = {
  id: 'createOperator',
  method: 'POST',
  path,
  tag,
  summary: 'Create an operator',
  description:
    "An operator has an API key of its own with the scope `admin`, and the audit names the operator. The answer shows the key once. The first operator's key is in the deployment's secret.",
  scope: 'admin',
  body: z.strictObject({ name: nameSchema }),
  isIdempotent: true,
  responses: { 201: shownOnce },
  errors: [409],
  example: { name: 'night shift' },
  exampleAnswer: newOperator,
} as const satisfies Operation;

export const listOperators = {
  id: 'listOperators',
  method: 'GET',
  path,
  tag,
  summary: 'List the operators, oldest first',
  description: 'There are at most 100, so they are all on one page.',
  scope: 'admin',
  responses: { 200: z.object({ data: z.array(operatorSchema), next_cursor: z.null() }) },
  exampleAnswer: { data: [operator], next_cursor: null },
} as const satisfies Operation;

export const rotateOperatorKey = {
  id: 'rotateOperatorKey',
  method: 'POST',
  path: `${path}/{id}/rotate`,
  idPrefix: 'opr',
  tag,
  summary: "Replace an operator's API key",
  description:
    "The old key stays valid for the overlap. This call does not change the deployment's secret: `npm run ops -- rotate-operator-key` rotates the first operator's key together with its secret.",
  scope: 'admin',
  body: z.strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(30 * DAY_SECONDS)
      .default(DAY_SECONDS),
  }),
  isBodyOptional: true,
  isIdempotent: true,
  responses: { 201: shownOnce },
  errors: [409],
  example: { overlap_seconds: 3600 },
  exampleAnswer: newOperator,
} as const satisfies Operation;

export const deleteOperator = {
  id: 'deleteOperator',
  method: 'DELETE',
  path: `${path}/{id}`,
  idPrefix: 'opr',
  tag,
  summary: 'Delete an operator',
  description: 'Its API keys are refused from the next request on. Answers 409 for the last operator.',
  scope: 'admin',
  responses: { 204: null },
  errors: [409],
} as const satisfies Operation;
