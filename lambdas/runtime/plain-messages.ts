import type * as z from 'zod';

type Issue = z.core.$ZodRawIssue;

/** Separates the names in the message of an unknown field; no name of a schema holds it. */
const SEPARATOR = '\n';

const types: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
  undefined: 'absent',
};

const typeOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && !Number.isInteger(value)) return 'a number with a fraction';
  return types[typeof value] ?? typeof value;
};

const formats: Readonly<Record<string, string>> = {
  datetime: 'must be a time such as 2026-01-31T12:00:00.000Z',
  e164: 'must be a phone number such as +4790000000',
  url: 'must be a URL',
};

const bound = (issue: Extract<Issue, { code: 'too_big' | 'too_small' }>): string => {
  const isMost = issue.code === 'too_big';
  const limit = String(isMost ? issue.maximum : issue.minimum);
  const words = isMost ? 'at most' : 'at least';
  if (issue.origin === 'string') return `must have ${words} ${limit} ${limit === '1' ? 'character' : 'characters'}`;
  if (issue.origin === 'array') return `must have ${words} ${limit} ${limit === '1' ? 'entry' : 'entries'}`;
  return `must be ${words} ${limit}`;
};

/** Returns the names of the fields that the object's schema knows. */
const knownNames = (issue: Issue): string[] => {
  const definition = issue.inst?._zod.def as { readonly shape?: object } | undefined;
  return Object.keys(definition?.shape ?? {});
};

/**
 * Returns the message of a schema's fault in plain words; `undefined` keeps the schema's own message. The message of
 * unknown fields is the list of known names, which `namesInMessage` reads.
 */
export const plainMessage = (issue: Issue): string | undefined => {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${types[issue.expected] ?? issue.expected}, not ${typeOf(issue.input)}`;
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${String(issue.values[0])}`
        : `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_big':
    case 'too_small':
      return bound(issue);
    case 'invalid_format':
      return formats[issue.format] ?? 'does not have the right form';
    case 'invalid_union':
      return 'has none of the allowed forms';
    case 'unrecognized_keys':
      return knownNames(issue).join(SEPARATOR);
    default:
      return undefined;
  }
};

/** Returns the known names from the message of a fault about unknown fields. */
export const namesInMessage = (message: string): string[] => message.split(SEPARATOR);
