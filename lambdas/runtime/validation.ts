import * as z from 'zod';
import { type FieldError, invalid, PassPostError } from '../domain/foundation/errors.ts';

type Issue = z.core.$ZodIssue;

const dotted = (path: readonly PropertyKey[]): string => path.map(String).join('.');

const unknownField = (path: readonly PropertyKey[]): FieldError => ({
  path: dotted(path),
  code: 'unknown_field',
  message: 'Unknown field.',
});

/**
 * Returns the errors of the union branch that the sender most likely meant: the branch with the fewest errors at its
 * root, then with the fewest errors.
 */
const likelyBranch = (branches: readonly (readonly Issue[])[]): readonly Issue[] => {
  const rootErrors = (issues: readonly Issue[]): number =>
    issues.filter(({ path, code }) => path.length === 0 && code !== 'custom').length;
  return branches.toSorted((a, b) => rootErrors(a) - rootErrors(b) || a.length - b.length)[0] ?? [];
};

const issueToFieldErrors = (issue: Issue, prefix: readonly PropertyKey[]): FieldError[] => {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField([...path, key]));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return likelyBranch(issue.errors).flatMap((nested) => issueToFieldErrors(nested, path));
  }
  if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
    return [{ path: dotted(path), code: 'required', message: 'Required.' }];
  }
  const own: unknown = issue.code === 'custom' ? issue.params?.code : undefined;
  const code = typeof own === 'string' ? own : issue.code === 'custom' ? 'invalid' : issue.code;
  return [{ path: dotted(path), code, message: issue.message }];
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/**
 * A member name that zod's record schemas silently drop. `lostMembers` reports each dropped member as an unknown field.
 */
const LOST = '__proto__';
const lostMembers = (input: unknown, output: unknown, path: readonly PropertyKey[]): FieldError[] => {
  if (input === output || !isObject(input) || !isObject(output)) return [];
  return Object.entries(input).flatMap(([name, member]) => {
    const at = [...path, name];
    if (name === LOST && !Object.hasOwn(output, LOST)) return [unknownField(at)];
    return lostMembers(member, output[name], at);
  });
};

/**
 * Returns the parsed value, or throws `invalid` with every wrong field. A custom check of a schema may set its own
 * error code as `params: {code}`.
 */
export const validate = (schema: z.ZodType, value: unknown): unknown => {
  const parsed = schema.safeParse(value, { reportInput: true });
  const errors = parsed.success
    ? lostMembers(value, parsed.data, [])
    : parsed.error.issues.flatMap((issue) => issueToFieldErrors(issue, []));
  if (parsed.success && errors.length === 0) return parsed.data;
  const names = [...new Set(errors.map(({ path }) => path || 'the body'))];
  const shown = names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
  throw new PassPostError('invalid', `Wrong: ${shown}.`, { errors });
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalid(text.slice(0, 100), 'invalid_text', 'Not percent-encoded UTF-8.');
  }
};

const NO_QUERY = z.object({});

/** Returns the query parameters, parsed by the operation's schema. Throws for unknown and repeated parameters. */
export const readQuery = (schema: z.ZodObject | undefined, rawQuery: string): unknown => {
  const values = new Map<string, string>();
  for (const pair of rawQuery.split('&').filter((part) => part !== '')) {
    const [name = '', ...rest] = pair.split('=');
    const key = decode(name);
    const value = decode(rest.join('='));
    if (values.has(key)) throw invalid(key, 'repeated', 'Given more than once.');
    if (value.includes('\0')) throw invalid(key, 'invalid_text', 'Holds a NUL character.');
    values.set(key, value);
  }
  return validate((schema ?? NO_QUERY).strict(), Object.fromEntries(values));
};

/**
 * Returns the `Idempotency-Key` header, 1–255 visible ASCII characters, or `null` if the header is absent. Throws for
 * any other value.
 */
export const readIdempotencyKey = (header: string | undefined): string | null => {
  if (header === undefined) return null;
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw invalid('Idempotency-Key', 'invalid_format', 'An Idempotency-Key is 1 to 255 visible ASCII characters.');
};
