import { createHash } from 'node:crypto';
import type { FieldError } from '../foundation/errors.ts';

export interface WebhookUrlRules {
  /** Whether plain http is allowed. `loopback` = for loopback hosts only, and only together with `allowLoopback`. */
  readonly allowHttp: boolean | 'loopback';
  /** True if loopback hosts are allowed, on any port. */
  readonly allowLoopback: boolean;
  /** Hosts of this deployment, as host names or `host:port`. A webhook's URL must not name them. */
  readonly ownHosts: readonly string[];
  readonly isPublicAddress: (address: string) => boolean;
}

export type WebhookUrlCheck =
  | { readonly errors: readonly []; readonly url: URL }
  | { readonly errors: readonly [FieldError]; readonly url: null };

const LONGEST = 2048;
const PORTS = new Set(['', '80', '443', '8443']);
/**
 * Top-level names of the local machine or network. A webhook's host must not end with them, whatever they resolve to.
 */
const LOCAL_NAMES = ['localhost', 'local', 'internal', 'localdomain'];
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/**
 * Matches an http or https URL: scheme, authority, path and query as written. The WHATWG parser would also accept
 * `https:host`, `https:///host` and backslashes.
 */
const FORM = /^https?:\/\/([^/?#\\]+)([^?#\\]*)(\?[^#]*)?(?:#.*)?$/i;

/**
 * Matches what RFC 3986 does not allow in a path, but for white space, control characters and backslashes, which a
 * webhook's URL must not contain. https://www.rfc-editor.org/rfc/rfc3986#section-3.3
 */
const NOT_IN_PATH = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/%\s\p{Cc}\\]+/gu;

const encodePath = (path: string): string => path.replace(NOT_IN_PATH, encodeURIComponent);

/**
 * Returns a URL as it is stored, shown and sent: characters that RFC 3986 does not allow in a path are percent-encoded.
 * Everything else stays as it was written, also the query, whose secret receivers compare byte for byte. A text that is
 * no URL is returned unchanged.
 */
export const withEncodedPath = (url: string): string => {
  const path = url.isWellFormed() ? (FORM.exec(url)?.[2] ?? '') : '';
  const encoded = encodePath(path);
  if (encoded === path) return url;
  const start = url.indexOf('/', url.indexOf('//') + 2);
  return `${url.slice(0, start)}${encoded}${url.slice(start + path.length)}`;
};

/** Returns the path and query of a URL as a request line carries them. */
export const requestTarget = (url: string): string => {
  const [, , path = '', query = ''] = FORM.exec(url) ?? [];
  // A query that an earlier release accepted may have other characters than a request line can hold.
  return `${encodePath(path) || '/'}${query.replace(/[^\x21-\x7e]+/g, encodeURIComponent)}`;
};

/** Returns the fault of a URL whose path or query cannot be sent as it is written; `null` if it can. */
export const faultOfTarget = (url: string): FieldError | null => {
  const [, , path = '', query = ''] = FORM.exec(url) ?? [];
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) {
    return {
      path: 'url',
      code: 'broken_percent',
      message: 'must have two hexadecimal digits after each % of its path',
    };
  }
  if (/^[\x21-\x7e]*$/.test(query)) return null;
  const message = 'must have a query of visible ASCII characters: percent-encode the others';
  return { path: 'url', code: 'invalid_characters', message };
};

/** Returns the host of a URL as resolvers and certificates expect it: an IPv6 literal without brackets. */
export const bareHost = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');

const isAddressLiteral = (host: string): boolean => host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host);

/** Returns whether a host is loopback. Takes a WHATWG hostname, which has every address in canonical form. */
export const isLoopbackHost = (host: string): boolean =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  host === '::1' ||
  (isAddressLiteral(host) && host.startsWith('127.'));

const isPublicName = (host: string): boolean => {
  const labels = host.split('.');
  return (
    host.length <= 253 &&
    labels.length > 1 &&
    labels.every((label) => LABEL.test(label)) &&
    !LOCAL_NAMES.includes(labels.at(-1) ?? '')
  );
};

const parse = (text: string): URL | null => {
  const [, authority = ''] = FORM.exec(text) ?? [];
  return authority === '' ? null : URL.parse(text);
};

/** Returns the parsed URL, or its first fault. */
const findFault = (text: string, rules: WebhookUrlRules): [code: string, message: string] | URL => {
  if (text.length > LONGEST) return ['too_long', `must be at most ${LONGEST} characters`];
  if (/[\s\p{Cc}]/u.test(text) || !text.isWellFormed()) {
    return ['invalid_characters', 'must not contain spaces or control characters'];
  }
  const url = parse(text);
  if (!url) return ['invalid_url', 'must be an absolute http or https URL'];
  if (FORM.exec(text)?.[1]?.includes('@'))
    return ['user_info', 'must not contain a user name or password: use basic_auth'];

  const host = bareHost(url);
  // A host with a trailing dot means the same host. The dot would hide a local host or one of our own from the checks.
  const name = host.replace(/\.$/, '');
  const isLoopback = rules.allowLoopback && isLoopbackHost(host);
  if (rules.ownHosts.some((own) => [name, `${name}:${url.port}`].includes(own.toLowerCase()))) {
    return ['own_host', 'must not point at this deployment'];
  }
  if (!isLoopback) {
    const isPublic = isAddressLiteral(host) ? rules.isPublicAddress(host) : isPublicName(host);
    if (!isPublic) return ['forbidden_host', 'must name a public host: a full domain name or a public address'];
    if (!PORTS.has(url.port)) return ['forbidden_port', 'must use port 80, 443 or 8443'];
  }
  const isHttpAllowed = rules.allowHttp === 'loopback' ? isLoopback : rules.allowHttp;
  if (url.protocol === 'http:' && !isHttpAllowed) return ['https_required', 'must use https'];
  return url;
};

/**
 * Checks the text of a webhook's URL. The addresses of the URL's host are checked separately, again at every
 * connection.
 */
export const checkWebhookUrl = (text: string, rules: WebhookUrlRules): WebhookUrlCheck => {
  const result = findFault(text, rules);
  if (result instanceof URL) return { errors: [], url: result };
  const [code, message] = result;
  return { errors: [{ path: 'url', code, message }], url: null };
};

/**
 * Returns a short text that is equal for equal URLs. Fragments and the upper or lower case of scheme and host make no
 * difference, because requests to such URLs are the same.
 */
export const urlDigest = (text: string): string => {
  const url = URL.parse(text);
  if (url) url.hash = '';
  return createHash('sha256')
    .update(url?.href ?? text)
    .digest('base64url')
    .slice(0, 16);
};

/** Returns whether a URL's scheme is plain http, in upper or lower case. */
export const isPlainHttp = (text: string): boolean => /^http:/i.test(text);
