import { type FieldError, namesOf, PassPostError } from '../domain/foundation/errors.ts';
import { scanJson } from './scan-json.ts';

const MAX_BYTES = 256 * 1024;

/** The types of a body: `application/json` and types with the suffix `+json`. */
const JSON_TYPE = /^application\/(?:json|[a-z0-9.!#$&^_-]+\+json)$/i;

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"';
const PAIR = `(${TOKEN})\\s*=\\s*(${TOKEN}|${QUOTED})`;
/** Matches a media type, and one of its parameters. https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1 */
const MEDIA_TYPE = new RegExp(`^\\s*(${TOKEN}/${TOKEN})((?:\\s*;(?:\\s*${PAIR})?)*)\\s*$`);
const PARAMETER = new RegExp(`;\\s*${PAIR}`, 'g');

const unquoted = (text: string): string => (text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text);

/** Returns whether a `Content-Type` says JSON in UTF-8. Parameters other than `charset` do not matter. */
const isJsonType = (contentType: string): boolean => {
  const [, type = '', parameters = ''] = MEDIA_TYPE.exec(contentType) ?? [];
  const charsets = [...parameters.matchAll(PARAMETER)]
    .filter(([, name]) => name?.toLowerCase() === 'charset')
    .map(([, , value = '']) => unquoted(value));
  return JSON_TYPE.test(type) && charsets.every((charset) => /^utf-?8$/i.test(charset));
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

export interface RawBody {
  readonly body?: string | undefined;
  readonly isBase64Encoded: boolean;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

/** The parsed body of a request, and the numbers and texts in it that would not arrive as they were written. */
export interface JsonBody {
  readonly content: unknown;
  readonly faults: readonly FieldError[];
}

/** Throws if the headers of the body say that it is compressed, or not JSON in UTF-8. */
const checkHeaders = ({ contentType = '', contentEncoding = '' }: RawBody): void => {
  if (!/^\s*(?:identity\s*)?$/i.test(contentEncoding)) {
    const message = `The Content-Encoding ${contentEncoding.trim()} is not accepted: send the body without compression.`;
    throw new PassPostError('unsupported_media_type', message, { headers: { 'accept-encoding': 'identity' } });
  }
  if (isJsonType(contentType)) return;
  const named = contentType.trim() === '' ? 'There is no Content-Type' : `The Content-Type is ${contentType.trim()}`;
  throw new PassPostError('unsupported_media_type', `${named}, but the body must be application/json in UTF-8.`);
};

/**
 * Returns the parsed JSON body of a request; an optional body that is missing is `{}`. Throws if the body is too large,
 * of another type, missing, not JSON, or has the same member twice.
 */
export const readJsonBody = (raw: RawBody, isOptional: boolean): JsonBody => {
  // Decodes base64, which the gateway uses for bodies of a non-text type.
  const bytes = Buffer.from(raw.body ?? '', raw.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length === 0 && isOptional) return { content: {}, faults: [] };
  if (bytes.length > 0) checkHeaders(raw);
  if (bytes.length > MAX_BYTES) throw new PassPostError('too_large', `The body is larger than ${MAX_BYTES} bytes.`);
  if (bytes.length === 0) throw new PassPostError('malformed', 'A JSON body is needed.');
  const text = decodeUtf8(bytes);
  const content = parseJson(text);
  const { repeated, unfaithful } = scanJson(text);
  if (repeated.length === 0) return { content, faults: unfaithful };
  const names = namesOf(repeated);
  throw new PassPostError('malformed', `The body has a member more than once: ${names}.`, { errors: repeated });
};
