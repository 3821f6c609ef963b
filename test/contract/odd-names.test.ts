import { describe, expect, test } from 'vitest';
import { operations } from '../../lambdas/contract/index.ts';
import * as passcreator from '../../lambdas/contract/passcreator.ts';
import * as passmint from '../../lambdas/contract/passmint.ts';
import { PassPostError } from '../../lambdas/domain/foundation/errors.ts';
import type { Operation } from '../../lambdas/runtime/operation.ts';
import { validate } from '../../lambdas/runtime/validation.ts';

const NAME = '__proto__';

const all: readonly Operation[] = [...operations, ...Object.values(passmint), ...Object.values(passcreator)];

/** Where a call's own example does not hold every object that it takes. */
const wholeBodies: Readonly<Record<string, object>> = {
  createWebhook: {
    url: 'https://example.com/',
    events: ['task.accepted'],
    basic_auth: { username: 'a', password: 'b' },
    headers: { 'x-a': 'b' },
    profile_options: { mechanism: 'none' },
  },
  changeWebhook: { headers: { 'x-a': 'b' }, profile_options: { mechanism: 'none' } },
};

type Path = readonly string[];

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The places of all objects, not of lists. */
const objectsIn = (value: unknown, path: Path = []): Path[] => {
  if (!isObject(value)) return [];
  const own = Array.isArray(value) ? [] : [path];
  return [...own, ...Object.entries(value).flatMap(([name, member]) => objectsIn(member, [...path, name]))];
};

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((node, name) => (isObject(node) ? node[name] : undefined), value);

/** A body as it comes over the wire, with one member more. */
const withMember = (body: object, path: Path): unknown => {
  const copy = structuredClone(body);
  Object.defineProperty(at(copy, path), NAME, { value: { a: 1 }, enumerable: true });
  return JSON.parse(JSON.stringify(copy));
};

/** What becomes of it: `refused` by name, `kept` as it is, or neither. */
const fateOf = ({ body }: Operation, value: unknown, path: Path): string => {
  if (!body) throw new Error('takes no body');
  try {
    const made = at(validate(body, value), path);
    return isObject(made) && Object.hasOwn(made, NAME) ? 'kept' : 'dropped';
  } catch (error) {
    if (!(error instanceof PassPostError)) throw error;
    const named = [...path, NAME].join('.');
    return error.errors.some((each) => each.path === named && each.code === 'unknown_field') ? 'refused' : 'hidden';
  }
};

const cases = all
  .filter(({ body }) => body)
  .flatMap((operation) => {
    const body = wholeBodies[operation.id] ?? (operation.example as object | undefined) ?? {};
    return objectsIn(body).map((path) => [operation.id, path.join('.') || 'the body', operation, body, path] as const);
  });

// A webhook's headers and profile_options lost it in silence.
describe(`a member called ${NAME}`, () => {
  test.each(cases)('in %s, %s, is refused by name, or kept where any name is', (...[, , operation, body, path]) => {
    const isFree = at(body, path) !== undefined && /^(input|data|schema)\b/.test(path.join('.'));

    expect(fateOf(operation, withMember(body, path), path)).toBe(isFree ? 'kept' : 'refused');
  });
});
