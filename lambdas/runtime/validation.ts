import * as z from 'zod';
import { type FieldError, invalid, PassPostError, refuseFaults } from '../domain/foundation/errors.ts';
import { withNearName } from '../domain/foundation/near-name.ts';
import { namesInMessage, plainMessage } from './plain-messages.ts';

type Issue = z.core.$ZodIssue;

const dotted = (path: readonly PropertyKey[]): string => path.map(String).join('.');

const unknownField = (path: readonly PropertyKey[], known: readonly string[] = []): FieldError => ({
  path: dotted(path),
  code: 'unknown_field',
  message: withNearName('Unknown field.', String(path.at(-1)), known),
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

/** Returns the message of an issue; for a word outside a closed list, with the near word of the list. */
const messageOf = (issue: Issue): string =>
  issue.code === 'invalid_value' && typeof issue.input === 'string'
    ? withNearName(issue.message, issue.input, issue.values.map(String))
    : issue.message;

const issueToFieldErrors = (issue: Issue, prefix: readonly PropertyKey[]): FieldError[] => {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = namesInMessage(issue.message);
    return issue.keys.map((key) => unknownField([...path, key], known));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return likelyBranch(issue.errors).flatMap((nested) => issueToFieldErrors(nested, path));
  }
  if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
    return [{ path: dotted(path), code: 'required', message: 'Required.' }];
  }
  const own: unknown = issue.code === 'custom' ? issue.params?.code : undefined;
  const code = typeof own === 'string' ? own : issue.code === 'custom' ? 'invalid' : issue.code;
  return [{ path: dotted(path), code, message: messageOf(issue) }];
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
  const parsed = schema.safeParse(value, { reportInput: true, error: plainMessage });
  const errors = parsed.success
    ? lostMembers(value, parsed.data, [])
    : parsed.error.issues.flatMap((issue) => issueToFieldErrors(issue, []));
  refuseFaults(errors);
  return parsed.data;
};

/**
 * Returns the fields of a body that are valid by themselves, with the defaults of absent fields. Returns `{}` if the
 * body or its schema is no object.
 */
export const validPart = (schema: z.ZodType, value: unknown): Readonly<Record<string, unknown>> => {
  const body = z.record(z.string(), z.unknown()).safeParse(value).data;
  if (!body || !(schema instanceof z.ZodObject)) return {};
  const fields = Object.entries(schema.shape as Readonly<Record<string, z.ZodType>>).flatMap(([name, field]) => {
    const parsed = field.safeParse(body[name]);
    return parsed.success ? [[name, parsed.data] as const] : [];
  });
  return Object.fromEntries(fields);
};

const decode = (text: string): string | null => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
};

/**
 * Returns what `read` returns. If `read` throws `invalid`, adds its faults to `faults`, except for fields that have a
 * fault already, and returns `undefined`.
 */
export const collectFaults = <T>(faults: FieldError[], read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PassPostError) || error.code !== 'invalid') throw error;
    faults.push(...error.errors.filter(({ path }) => faults.every((earlier) => earlier.path !== path)));
    return undefined;
  }
};

const NO_QUERY = z.strictObject({});

/** The strict form of each query's schema. zod compiles a schema at its first use, so each one is made once. */
const strictForms = new WeakMap<z.ZodObject, z.ZodObject>();
const strictFormOf = (schema: z.ZodObject): z.ZodObject => {
  const strict = strictForms.get(schema) ?? schema.strict();
  strictForms.set(schema, strict);
  return strict;
};

/**
 * Returns the query parameters, parsed by the operation's schema. Throws `invalid` with every wrong, unknown and
 * repeated parameter.
 */
export const readQuery = (schema: z.ZodObject | undefined, rawQuery: string): unknown => {
  const values = new Map<string, string>();
  const faults: FieldError[] = [];
  for (const pair of rawQuery.split('&').filter((part) => part !== '')) {
    const [name = '', ...rest] = pair.split('=');
    const [key, value] = [decode(name), decode(rest.join('='))];
    if (key === null || value === null) {
      const path = (key === null ? name : key).slice(0, 100);
      faults.push({ path, code: 'invalid_text', message: 'Not percent-encoded UTF-8.' });
      continue;
    }
    if (values.has(key)) faults.push({ path: key, code: 'repeated', message: 'Given more than once.' });
    if (value.includes('\0')) faults.push({ path: key, code: 'invalid_text', message: 'Holds a NUL character.' });
    values.set(key, value);
  }
  const parsed = collectFaults(faults, () =>
    validate(schema ? strictFormOf(schema) : NO_QUERY, Object.fromEntries(values)),
  );
  refuseFaults(faults);
  return parsed;
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
