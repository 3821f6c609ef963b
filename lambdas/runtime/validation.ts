import * as z from 'zod';
import { type FieldError, invalid, PassPostError } from '../domain/foundation/errors.ts';

type Issue = z.core.$ZodIssue;

const dotted = (path: readonly PropertyKey[]): string => path.map(String).join('.');

const unknownField = (path: readonly PropertyKey[]): FieldError => ({
  path: dotted(path),
  code: 'unknown_field',
  message: 'Not known here.',
});

/** Of a union's branches, the one the sender most likely meant: that which went along furthest. */
const likelyBranch = (branches: readonly (readonly Issue[])[]): readonly Issue[] => {
  const strayed = (issues: readonly Issue[]): number =>
    issues.filter(({ path, code }) => path.length === 0 && code !== 'custom').length;
  return branches.toSorted((a, b) => strayed(a) - strayed(b) || a.length - b.length)[0] ?? [];
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

/** A record of zod's takes any name but this one, and drops it in silence: where what was made of a value has it no more. */
const LOST = '__proto__';
const lostMembers = (given: unknown, made: unknown, path: readonly PropertyKey[]): FieldError[] => {
  if (given === made || !isObject(given) || !isObject(made)) return [];
  return Object.entries(given).flatMap(([name, member]) => {
    const at = [...path, name];
    if (name === LOST && !Object.hasOwn(made, LOST)) return [unknownField(at)];
    return lostMembers(member, made[name], at);
  });
};

/** What the schema makes of the value, or a refusal that names every wrong field. A failed check may name its own code as `params: {code}`. */
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

/** The query's parameters as the operation takes them: none unknown, none twice. */
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

/** The `Idempotency-Key` header: 1–255 visible characters. */
export const readIdempotencyKey = (header: string | undefined): string | null => {
  if (header === undefined) return null;
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw invalid('Idempotency-Key', 'invalid_format', 'An Idempotency-Key is 1 to 255 visible ASCII characters.');
};
