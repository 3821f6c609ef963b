import type { BrotliOptions, ZlibOptions } from 'node:zlib';

const MAX_CODE_POINTS = 2000;

/** Returns the first 2,000 code points of bytes, at most four bytes each. Bytes that are not UTF-8 become U+FFFD. */
const toText = (bytes: Buffer): string => {
  const text = bytes.toString('utf8', 0, MAX_CODE_POINTS * 4);
  if (text.length <= MAX_CODE_POINTS) return text;
  let end = 0;
  for (let count = 0; count < MAX_CODE_POINTS && end < text.length; count++) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
};

type Decode = (bytes: Buffer, options: ZlibOptions & BrotliOptions) => Buffer;

/** Returns the function that decodes a content encoding. Loads zlib only for a receiver that compresses unasked. */
const decoderOf = (encoding: string): Decode | undefined => {
  const zlib = process.getBuiltinModule('node:zlib');
  const decoders: Readonly<Record<string, Decode>> = {
    gzip: zlib.gunzipSync,
    'x-gzip': zlib.gunzipSync,
    deflate: zlib.inflateSync,
    br: zlib.brotliDecompressSync,
  };
  return Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
};

const decoded = (bytes: Buffer, encoding: string, maxBytes: number): Buffer | null => {
  try {
    return decoderOf(encoding)?.(bytes, { maxOutputLength: maxBytes }) ?? null;
  } catch {
    // The bytes are not of this encoding, or too many.
    return null;
  }
};

/**
 * Returns the start of a response body as text. A body in a content encoding that the request did not ask for is decoded
 * if it has at most `maxBytes` then; otherwise the text is a note of its length and encoding.
 */
export const responseText = (bytes: Buffer, contentEncoding: string | undefined, maxBytes: number): string => {
  const encoding = (contentEncoding ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity' || bytes.length === 0) return toText(bytes);
  const plain = decoded(bytes, encoding, maxBytes);
  return plain ? toText(plain) : `[${bytes.length} bytes in the content encoding ${encoding.slice(0, 50)}]`;
};
