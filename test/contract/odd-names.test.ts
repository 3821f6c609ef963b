import { describe, expect, test } from 'vitest';
import { operations } from '../../lambdas/contract/index.ts';
import * as passcreator from '../../lambdas/contract/passcreator.ts';
import * as passmint from '../../lambdas/contract/passmint.ts';
import { PassPostError } from '../../lambdas/domain/foundation/errors.ts';
import type { Operation } from '../../lambdas/runtime/operation.ts';
import { validate } from '../../lambdas/runtime/validation.ts';

const NAME = '__proto__';

const all: readonly Operation[] = [...operations, ...Object.values(passmint), ...Object.values(passcreator)];

/** Bodies for calls whose own example lacks some of the objects that the call accepts. */
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

/** The paths of all objects in a value. A list has no path itself, but the objects in it have. */
const objectsIn = (value: unknown, path: Path = []): Path[] => {
  if (!isObject(value)) return [];
  const own = Array.isArray(value) ? [] : [path];
  return [...own, ...Object.entries(value).flatMap(([name, member]) => objectsIn(member, [...path, name]))];
};

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((node, name) => (isObject(node) ? node[name] : undefined), value);

/** The body after JSON parsing, with one more member called NAME in the object at the path. */
const withMember = (body: object, path: Path): unknown => {
  const copy = structuredClone(body);
  Object.defineProperty(at(copy, path), NAME, { value: { a: 1 }, enumerable: true });
  return JSON.parse(JSON.stringify(copy));
};

/** What validation does with the member: `refused with unknown_field` by name, `kept`, `dropped`, or `hidden` in an error about something else. */
const fateOf = ({ body }: Operation, value: unknown, path: Path): string => {
  if (!body) throw new Error('the call accepts no body');
  try {
    const parsed = at(validate(body, value), path);
    return isObject(parsed) && Object.hasOwn(parsed, NAME) ? 'kept' : 'dropped';
  } catch (error) {
    if (!(error instanceof PassPostError)) throw error;
    const named = [...path, NAME].join('.');
    return error.errors.some((each) => each.path === named && each.code === 'unknown_field')
      ? 'refused with unknown_field'
      : 'hidden';
  }
};

const cases = all
  .filter(({ body }) => body)
  .flatMap((operation) => {
    const body = wholeBodies[operation.id] ?? (operation.example as object | undefined) ?? {};
    return objectsIn(body).map((path) => {
      const isFree = at(body, path) !== undefined && /^(input|data|schema)\b/.test(path.join('.'));
      const place = path.length === 0 ? 'the top level' : path.join('.');
      return [operation.id, place, isFree ? 'kept' : 'refused with unknown_field', operation, body, path] as const;
    });
  });

// Fixed bug: the API silently dropped this member from a webhook's headers and profile_options.
describe(`the validation of a request body with the member ${NAME}`, () => {
  test.each(cases)('%s: a member of this name at %s is %s', (_id, _place, fate, operation, body, path) => {
    expect(fateOf(operation, withMember(body, path), path)).toBe(fate);
  });
});
