import * as z from 'zod';
import {
  type CreateDocumentOptions,
  createDocument,
  type ZodOpenApiHeadersObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import type { Operation } from '../runtime/operation.ts';
import { problemCodes, problemExample, problemSchema } from './problem.ts';

type Document = ReturnType<typeof createDocument>;
type Code = (typeof problemCodes)[number];

const header = (description: string, example: string) => ({
  description,
  schema: { type: 'string' as const },
  example,
});

const requestId = {
  'x-request-id': header('Identifies this request in the logs of the API.', 'req_01KA8Z3M9Q4T7V2X5B8D1F6H0J'),
};
const rateLimits = {
  'RateLimit-Policy': header(
    "The key's limit, or the account's ceiling (`account`) if that refused the call, and the window in seconds.",
    '"default";q=120;w=60',
  ),
  RateLimit: header('Requests left in this window, and seconds until the window ends.', '"default";r=119;t=60'),
};
const retryAfter = { 'Retry-After': header('Seconds to wait.', '42') };

const statusOf = (code: Code): number => problemExample(code).status;

/**
 * Returns the codes of the problems that a call can answer: the codes that follow from its scope, body, path and
 * idempotency, and the codes of the error statuses that the call names.
 */
const codesOf = (operation: Operation): Code[] => {
  const { scope, body, path, errors = [], problems = [], isIdempotent } = operation;
  const codes: Code[] = ['invalid', 'internal'];
  if (scope !== null) codes.push('unauthorized', 'forbidden', 'rate_limited', 'unavailable');
  if (body) codes.push('malformed', 'too_large', 'unsupported_media_type');
  if (isIdempotent) codes.push('idempotency_mismatch');
  if (path.includes('{')) codes.push('not_found');
  const isGeneral = (code: Code): boolean => !/^(?:idempotency|too_many)_/.test(code);
  const named = problemCodes.filter((code) => errors.includes(statusOf(code)) && isGeneral(code));
  return [...new Set([...codes, ...named, ...problems])];
};

const headersFor = (code: Code): ZodOpenApiHeadersObject => ({
  ...requestId,
  ...(code === 'rate_limited' ? { ...rateLimits, ...retryAfter } : {}),
  ...(code === 'unavailable' ? retryAfter : {}),
});

const responseIds = new Map<string, ZodOpenApiResponseObject>();

/**
 * Returns the response for a set of problems. The same set gives the same object, so that the document holds each
 * response once.
 */
const problemResponse = (codes: readonly Code[]): ZodOpenApiResponseObject => {
  const id = codes.toSorted().join('-or-');
  const existing = responseIds.get(id);
  if (existing) return existing;
  const titles = codes.map((code) => problemExample(code).title);
  const examples = Object.fromEntries(codes.map((code) => [code, { value: problemExample(code) }]));
  const response: ZodOpenApiResponseObject = {
    id,
    description: titles.join(', or: '),
    headers: Object.assign({}, ...codes.map(headersFor)),
    content: { 'application/problem+json': { schema: problemSchema, examples } },
  };
  responseIds.set(id, response);
  return response;
};

/** Returns a call's error responses, one for each status, because several problems may share a status. */
const problemResponses = (operation: Operation): ZodOpenApiResponsesObject => {
  const byStatus = Map.groupBy(codesOf(operation), statusOf);
  return Object.fromEntries([...byStatus].map(([status, codes]) => [String(status), problemResponse(codes)]));
};

const successResponses = (operation: Operation): ZodOpenApiResponsesObject => {
  const { responses, otherMediaTypes = {}, exampleAnswer, isIdempotent, scope } = operation;
  const [first] = Object.keys(responses);
  const replayed = { 'idempotency-replayed': header('`true` if this repeats the first answer.', 'true') };
  const headers = { ...requestId, ...(scope === null ? {} : rateLimits), ...(isIdempotent ? replayed : {}) };
  return Object.fromEntries(
    Object.entries(responses).map(([status, schema]) => {
      const isFirst = status === first;
      const example = isFirst && exampleAnswer !== undefined ? { example: exampleAnswer } : {};
      const others = Object.entries(isFirst ? otherMediaTypes : {}).map(([type, other]) => [type, { schema: other }]);
      const content = { ...(schema && { 'application/json': { schema, ...example } }), ...Object.fromEntries(others) };
      const hasBody = Object.keys(content).length > 0;
      return [status, { description: hasBody ? 'Done' : 'Done, no body', headers, ...(hasBody && { content }) }];
    }),
  );
};

const parametersOf = ({
  path,
  idPrefix,
  query,
  isIdempotent,
}: Operation): ZodOpenApiOperationObject['requestParams'] => {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const id = z.string().regex(new RegExp(`^${idPrefix}_[0-9A-HJKMNP-TV-Z]{26,52}$`));
  const text = z.string().min(1);
  const values = Object.fromEntries(names.map((name) => [name, name === 'id' && idPrefix ? id : text]));
  return {
    ...(names.length > 0 ? { path: z.object(values) } : {}),
    ...(query ? { query } : {}),
    ...(isIdempotent
      ? {
          header: z.object({
            'Idempotency-Key': z
              .string()
              .regex(/^[\x21-\x7e]{1,255}$/)
              .optional()
              .meta({ description: 'Makes a repeat of this request safe for at least 24 hours.' }),
          }),
        }
      : {}),
  };
};

/** Says of scopes what else they give, because it is more than their name says. */
const scopeNotes: Readonly<Record<string, string>> = {
  'webhooks:write':
    ' A key with this scope can register webhooks, which receive everything that happens in the account: events of every type, with the data of tasks and their recipients.',
  'events:read':
    ' A key with this scope reads everything that happens in the account: events of every type, with the data of tasks and their recipients.',
};

const describe = (operation: Operation): ZodOpenApiOperationObject => {
  const { id, tag, summary, description, scope, body, isBodyOptional = false, example } = operation;
  const needs = scope === null ? null : `Needs the scope \`${scope}\`.${scopeNotes[scope] ?? ''}`;
  const about = [description, needs].filter((line) => line).join('\n\n');
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(about === '' ? {} : { description: about }),
    security: scope === null ? [] : [{ apiKey: [] }],
    requestParams: parametersOf(operation) ?? {},
    ...(body
      ? {
          requestBody: {
            required: !isBodyOptional,
            content: { 'application/json': { schema: body, ...(example === undefined ? {} : { example }) } },
          },
        }
      : {}),
    responses: { ...successResponses(operation), ...problemResponses(operation) },
  };
};

/** Adapts a schema of the document to the generators of clients. Called for every schema after its members. */
const adaptSchema: NonNullable<CreateDocumentOptions['override']> = ({ jsonSchema, io, path }) => {
  // A later release may add members to answers, so only request schemas forbid unknown members.
  if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  // Says a default in the description instead, because openapi-typescript makes every member with a `default` required,
  // except parameters. A default that an answer inherits from its row says nothing: the member is always present.
  const { default: value, description } = jsonSchema;
  if (value === undefined || path.includes('query')) return;
  delete jsonSchema.default;
  if (io === 'output' || value === null) return;
  jsonSchema.description = [description, `Default: \`${JSON.stringify(value)}\`.`].filter(Boolean).join(' ');
};

/**
 * Generates the OpenAPI document of the calls from the schemas that validate their requests and describe their answers.
 */
export const openApiDocument = (operations: readonly Operation[]): Document => {
  const paths: ZodOpenApiPathsObject = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method.toLowerCase()]: describe(operation) };
  }
  const content = {
    openapi: '3.1.1' as const,
    info: {
      title: 'PassPost',
      version: '1.0.0',
      description:
        'Courier delivery tasks, and webhooks that report their changes. Every answer has the header `x-request-id`. Every list is paged by `limit` and `cursor`, newest first. Every error is a problem (RFC 9457) that names each wrong field.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This deployment' }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: {
        apiKey: {
          type: 'http' as const,
          scheme: 'bearer',
          description:
            'An API key: `pp_live_…` or `pp_test_…`, 46 characters. The last six are a checksum (CRC-32 of the others, in base 62).',
        },
      },
    },
  };
  return createDocument(content, { override: adaptSchema });
};
