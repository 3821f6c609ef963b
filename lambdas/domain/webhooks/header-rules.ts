import type { FieldError } from '../foundation/errors.ts';

const MOST_HEADERS = 20;
const MOST_BYTES = 4096;

// Patterns that a header's name and value must match: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e]*$/;

/** Headers that a webhook cannot set: they frame the message, belong to one connection, or are set by the sender. */
const RESERVED = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

/**
 * Settings that the check of a webhook's custom headers depends on: whether the webhook uses basic auth, and which
 * headers profiles reserve.
 */
export interface HeaderContext {
  readonly hasBasicAuth: boolean;
  /** Prefixes, in lower case, of the headers that profiles set. */
  readonly reservedPrefixes: readonly string[];
}

const findFault = (
  name: string,
  value: string,
  { hasBasicAuth, reservedPrefixes }: HeaderContext,
): [code: string, message: string] | undefined => {
  if (!TOKEN.test(name)) return ['invalid_name', 'is not a header name'];
  const lower = name.toLowerCase();
  if (RESERVED.has(lower) || reservedPrefixes.some((prefix) => lower.startsWith(prefix))) {
    return ['reserved', 'is set by PassPost or by the connection'];
  }
  if (lower === 'authorization' && hasBasicAuth) return ['reserved', 'is set from basic_auth'];
  if (!VALUE.test(value)) return ['invalid_value', 'may hold visible ASCII, spaces and tabs only'];
  // Refuses a value with spaces or tabs at its ends, because HTTP strips them and the receiver would get another value.
  if (value !== value.trim()) return ['invalid_value', 'must not begin or end with a space'];
  return undefined;
};

/** Checks a webhook's custom headers and returns their faults; empty = valid. The messages never quote a value. */
export const checkHeaders = (headers: Readonly<Record<string, string>>, context: HeaderContext): FieldError[] => {
  const entries = Object.entries(headers);
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (entries.length > MOST_HEADERS) {
    return [{ path: 'headers', code: 'too_many', message: `must be at most ${MOST_HEADERS}` }];
  }
  if (bytes > MOST_BYTES) {
    return [
      { path: 'headers', code: 'too_long', message: `must be at most ${MOST_BYTES} bytes, names and values together` },
    ];
  }
  const seen = new Set<string>();
  return entries.flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    const fault = seen.has(lower) ? ['duplicate', 'is given twice'] : findFault(name, value, context);
    seen.add(lower);
    const [code, message] = fault ?? [];
    return code && message ? [{ path: `headers.${name}`, code, message }] : [];
  });
};
