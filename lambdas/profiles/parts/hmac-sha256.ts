import { createHmac } from 'node:crypto';

/** Returns the HMAC-SHA256 of a text. The text and a text key are used as UTF-8 bytes. */
export const hmacSha256 = (key: string | Buffer, text: string, encoding: 'hex' | 'base64'): string =>
  createHmac('sha256', key).update(text).digest(encoding);
