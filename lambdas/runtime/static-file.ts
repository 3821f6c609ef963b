import { hash } from 'node:crypto';
import type { ApiResponse } from './operation.ts';

/** The compressed form of a text and its entity tag. */
interface Prepared {
  readonly etag: string;
  readonly gzip: Buffer;
}

/** Texts below this number of characters are not compressed, because they fit into one packet. */
const SMALLEST = 1000;

/**
 * Returns whether an `Accept-Encoding` allows gzip: by name, or by `*`, with a weight above 0.
 * https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
 */
const acceptsGzip = (acceptEncoding: string): boolean => {
  const weights = new Map(
    acceptEncoding.split(',').map((part) => {
      const [coding = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const weight = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '');
      return [coding, weight === undefined ? 1 : Number(weight)] as const;
    }),
  );
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0;
};

/** Returns whether an `If-None-Match` names the entity tag. https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2 */
const namesTag = (ifNoneMatch: string, etag: string): boolean =>
  ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim() === etag);

const prepared = new Map<string, Prepared>();

/** Returns the compressed form and the tag of a text, which are made once. */
const prepare = (text: string): Prepared => {
  const present = prepared.get(text);
  if (present) return present;
  // Loads zlib only here, because every function of the API imports this file.
  const { gzipSync } = process.getBuiltinModule('node:zlib');
  // The tag is weak, because the compressed and the plain form share it.
  const made = { etag: `W/"${hash('sha256', text, 'base64url').slice(0, 22)}"`, gzip: gzipSync(text) };
  prepared.set(text, made);
  return made;
};

/**
 * Returns the response with a static text as a client with these headers gets it: compressed if the client accepts gzip,
 * and 304 if the client has the text already.
 */
export const staticResponse = (
  response: ApiResponse,
  requestHeaders: Readonly<Record<string, string | undefined>>,
): ApiResponse => {
  const text = String(response.body);
  const { etag, gzip } = prepare(text);
  const headers = { ...response.headers, etag, vary: 'accept-encoding' };
  if (namesTag(requestHeaders['if-none-match'] ?? '', etag)) return { status: 304, headers };
  if (text.length < SMALLEST || !acceptsGzip(requestHeaders['accept-encoding'] ?? '')) return { ...response, headers };
  return { status: 200, body: gzip, headers: { ...headers, 'content-encoding': 'gzip' } };
};
