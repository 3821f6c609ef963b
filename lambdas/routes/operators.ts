import * as operations from '../contract/operators.ts';
import {
  createOperator,
  deleteOperator,
  type Operator,
  type Operators,
  operatorSchema,
  rotateOperator,
} from '../domain/accounts/operator.ts';
import type { AnswerWithSecret } from '../domain/foundation/idempotency.ts';
import { type ApiResponse, type Route, replayHeaders, route } from '../runtime/operation.ts';

const created = ({ answer, secret }: AnswerWithSecret<Operator>): ApiResponse => ({
  status: 201,
  body: secret === null ? answer : { ...answer, key: secret },
  headers: replayHeaders(secret === null),
});

/** Returns the routes of the calls about operators. */
export const operatorRoutes = (operators: Operators): Route[] => [
  route(operations.createOperator, async (request) =>
    created(await createOperator(request, request.body.name, operators)),
  ),

  route(operations.listOperators, async () => {
    const data = (await operators.list()).map((operator) => operatorSchema.parse(operator));
    return { status: 200, body: { data, next_cursor: null } };
  }),

  route(operations.rotateOperatorKey, async (request) =>
    created(await rotateOperator(request, request.id, request.body.overlap_seconds, operators)),
  ),

  route(operations.deleteOperator, async (request) => {
    await deleteOperator(request, request.id, operators);
    return { status: 204 };
  }),
];
