import { createHmac } from 'node:crypto';

/** The HMAC-SHA256 of a text. Text and a text key are used as UTF-8 bytes. */
export const hmacSha256 = (key: string | Buffer, text: string, encoding: 'hex' | 'base64'): string =>
  createHmac('sha256', key).update(text).digest(encoding);
