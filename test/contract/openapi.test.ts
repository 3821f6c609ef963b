import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { operations } from '../../lambdas/contract/index.ts';
import { openApiDocument } from '../../lambdas/contract/openapi.ts';
import { problemCodes, problemExample, problemSchema } from '../../lambdas/contract/problem.ts';

type Json = Record<string, unknown>;

const document = JSON.parse(JSON.stringify(openApiDocument(operations)));

const resolve = (reference: string): unknown =>
  reference
    .slice(2)
    .split('/')
    .reduce<unknown>((node, name) => (node as Json | undefined)?.[name], document);

/** Visits every object of the document with its path. */
const walk = (node: unknown, path: string, visit: (object: Json, path: string) => void): void => {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) visit(node as Json, path);
  for (const [name, member] of Object.entries(node)) walk(member, `${path}/${name}`, visit);
};

const calls = Object.entries(document.paths as Record<string, Record<string, Json>>).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation: operation as Json })),
);

/** The schema as one self-contained JSON Schema. */
const schemaWith = (schema: Json): z.ZodType => {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')));
};

describe('PP-10 the OpenAPI document', () => {
  test.each([
    ['webhooks:write', 'can register webhooks, which receive everything that happens in the account'],
    ['events:read', 'reads everything that happens in the account'],
  ])('says at every call with the scope %s, and at no other call, that a key with the scope %s', (scope, gives) => {
    const withScope = operations.filter((operation) => operation.scope === scope).map(({ id }) => id);
    const described = calls.filter(({ operation }) => String(operation.description).includes(gives));

    expect(withScope.length).toBeGreaterThan(1);
    expect(described.map(({ operation }) => operation.operationId).toSorted()).toEqual(withScope.toSorted());
  });

  test('is OpenAPI 3.1 with the title PassPost, and describes every operation once with a unique operationId', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/);
    expect(document.info).toMatchObject({ title: 'PassPost', version: expect.any(String) });
    expect(calls).toHaveLength(operations.length);
    const ids = calls.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('contains the target of every $ref, and declares apiKey as an HTTP bearer scheme', () => {
    const missing: string[] = [];
    walk(document, '#', (object, path) => {
      const reference = object.$ref;
      if (typeof reference === 'string' && resolve(reference) === undefined) missing.push(`${path}: ${reference}`);
    });

    expect(missing).toEqual([]);
    expect(document.components.securitySchemes.apiKey).toMatchObject({ type: 'http', scheme: 'bearer' });
  });

  test('declares exactly the parameters of the path for every operation, each as required', () => {
    for (const { path, operation } of calls) {
      const declared = ((operation.parameters ?? []) as { in: string; name: string; required?: boolean }[])
        .filter((parameter) => parameter.in === 'path')
        .map(({ name, required }) => [name, required]);
      expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, true]));
    }
  });

  test('lists a 2xx, 422 and 500 for each operation; with a key also 401, 403, 429, 503; with a body 400, 413, 415; with an id 404', () => {
    for (const { path, operation } of calls) {
      const statuses = Object.keys(operation.responses as Json);
      const isKeyed = (operation.security as unknown[]).length > 0;
      expect(statuses).toEqual(
        expect.arrayContaining(['422', '500', ...(isKeyed ? ['401', '403', '429', '503'] : [])]),
      );
      expect(statuses.some((status) => status.startsWith('2'))).toBe(true);
      if (operation.requestBody) expect(statuses).toEqual(expect.arrayContaining(['400', '413', '415']));
      if (path.includes('{')) expect(statuses).toContain('404');
    }
  });

  test('says the type of the values of every object schema without members: it has additionalProperties', () => {
    const maps: Json[] = [];
    walk(document, '#', (object) => {
      if (object.type === 'object' && object.properties === undefined) maps.push(object);
    });

    expect(maps.length).toBeGreaterThan(20);
    expect(maps.filter(({ additionalProperties }) => additionalProperties === undefined)).toEqual([]);
  });

  test('has no member with a default in a request body or a component: the description says `Default: …` instead', () => {
    const paths: string[] = [];
    for (const { path, operation } of calls) {
      walk(operation.requestBody, path, (object, place) => {
        if (object.default !== undefined && !place.includes('/example')) paths.push(place);
      });
    }
    walk(document.components.schemas, '#', (object, place) => {
      if (object.default !== undefined) paths.push(place);
    });

    expect(paths).toEqual([]);
    expect(document.components.schemas.NewWebhook.properties.enabled.description).toMatch(/Default: `true`\.$/);
  });

  test('lists application/json and application/x-pem-file for GET /inpost/public-key', () => {
    const { content } = document.paths['/inpost/public-key'].get.responses['200'];

    expect(Object.keys(content)).toEqual(['application/json', 'application/x-pem-file']);
  });

  test('PP-3 PP reading 8: the Task schema lists five sizes, envelope to extra_large, and the urgencies standard, express and same_day', () => {
    const text = JSON.stringify(document.components.schemas.Task);

    expect(text).toContain('["envelope","small","medium","large","extra_large"]');
    expect(text).toContain('["standard","express","same_day"]');
  });

  test.each(operations.map((operation) => [operation.id, operation] as const))(
    'the request and response examples of %s match the zod schemas and the published JSON Schemas',
    (_, described) => {
      const path = document.paths[described.path][described.method.toLowerCase()];
      const first = Object.entries(described.responses)[0];

      if (described.example !== undefined) {
        const { schema, example } = path.requestBody.content['application/json'];
        expect(described.body?.safeParse(example).error).toBeUndefined();
        expect(schemaWith(schema).safeParse(example).error).toBeUndefined();
      }
      if (described.exampleAnswer !== undefined) {
        const { schema, example } = path.responses[first?.[0] ?? ''].content['application/json'];
        expect(first?.[1]?.safeParse(example).error).toBeUndefined();
        expect(schemaWith(schema).safeParse(example).error).toBeUndefined();
      }
    },
  );

  test('problemExample returns an example that the problem schema accepts, for every problem code', () => {
    for (const code of problemCodes) {
      expect(problemSchema.safeParse(problemExample(code)).error).toBeUndefined();
    }
  });
});
