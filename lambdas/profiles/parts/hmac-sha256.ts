import { createHmac } from 'node:crypto';

/** The HMAC-SHA256 of a text's UTF-8 bytes; a key given as text is its UTF-8 bytes too. */
export const hmacSha256 = (key: string | Buffer, text: string, encoding: 'hex' | 'base64'): string =>
  createHmac('sha256', key).update(text).digest(encoding);
