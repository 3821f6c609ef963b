import { invalid, PassPostError } from '../domain/foundation/errors.ts';

const MAX_BYTES = 256 * 1024;
const MAX_DEPTH = 64;

/**
 * Matches the content types that a body may have: `application/json` and types with the suffix `+json`, in UTF-8 only.
 */
const JSON_TYPE = /^application\/(?:json|[a-z0-9.!#$&^_-]+\+json)(?:\s*;\s*charset\s*=\s*"?utf-?8"?)?\s*$/i;

/** Throws if a string holds a character that storage or signing would change: NUL or half a surrogate pair. */
const checkText = (text: string, path: string): void => {
  if (text.isWellFormed() && !text.includes('\0')) return;
  throw invalid(path.toWellFormed(), 'invalid_text', 'Holds a NUL character or half a surrogate pair.');
};

/**
 * Checks every string and number of a body and its depth. Returns true if the body has a whole number beyond 2^53,
 * which may have lost digits.
 */
const checkContent = (root: unknown): boolean => {
  let hasLarge = false;
  const open: { value: unknown; path: string; depth: number }[] = [{ value: root, path: '', depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path, depth } = next;
    if (typeof value === 'string') checkText(value, path);
    // Refuses a number that is too large for JavaScript: JSON has no largest number, and 1e999 would become Infinity.
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw invalid(path, 'too_big', 'A number out of range.');
    }
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) hasLarge = true;
    if (typeof value !== 'object' || value === null) continue;
    if (depth === MAX_DEPTH) throw invalid(path.slice(0, 200), 'too_deep', `Nested deeper than ${MAX_DEPTH}.`);
    for (const [name, member] of Object.entries(value)) {
      const memberPath = path === '' ? name : `${path}.${name}`;
      if (!Array.isArray(value)) checkText(name, memberPath);
      open.push({ value: member, path: memberPath, depth: depth + 1 });
    }
  }
  return hasLarge;
};

const decodeUtf8 = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PassPostError('malformed', 'The body is not UTF-8.', { cause });
  }
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PassPostError('malformed', 'The body is not JSON.', { cause });
  }
};

/**
 * Turns a whole number that loses digits into Infinity, which is refused: an id of twenty digits would be published as
 * another id.
 */
const inexactToInfinity = (_: string, value: unknown, written?: { readonly source?: string }): unknown => {
  const digits = written?.source ?? '';
  if (typeof value !== 'number' || !Number.isFinite(value) || !/^-?\d+$/.test(digits)) return value;
  return BigInt(digits) === BigInt(value) ? value : Number.POSITIVE_INFINITY;
};

export interface RawBody {
  readonly body?: string | undefined;
  readonly isBase64Encoded: boolean;
  readonly contentType: string | undefined;
}

/**
 * Returns the parsed JSON body of a request; an optional body that is missing is `{}`. Throws if the body is too large,
 * of another type, missing or not JSON.
 */
export const readJsonBody = (raw: RawBody, isOptional: boolean): unknown => {
  // Decodes base64, which the gateway uses for bodies of a non-text type.
  const bytes = Buffer.from(raw.body ?? '', raw.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length === 0 && isOptional) return {};
  if (bytes.length > 0 && !JSON_TYPE.test(raw.contentType ?? '')) {
    throw new PassPostError('unsupported_media_type', 'The body must be application/json in UTF-8.');
  }
  if (bytes.length > MAX_BYTES) throw new PassPostError('too_large', `The body is larger than ${MAX_BYTES} bytes.`);
  if (bytes.length === 0) throw new PassPostError('malformed', 'A JSON body is needed.');
  const text = decodeUtf8(bytes);
  const content = parseJson(text);
  if (checkContent(content)) checkContent(JSON.parse(text, inexactToInfinity));
  return content;
};
