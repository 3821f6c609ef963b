import type { FieldError } from '../foundation/errors.ts';

export interface WebhookUrlRules {
  /** `loopback`: plain http is taken where the host is this machine, and only where that is allowed at all. */
  readonly allowHttp: boolean | 'loopback';
  /** Lets a webhook point at this machine, on any port. */
  readonly allowLoopback: boolean;
  /** Where this deployment answers itself: host names, or `host:port`. */
  readonly ownHosts: readonly string[];
  readonly isPublicAddress: (address: string) => boolean;
}

export type WebhookUrlCheck =
  | { readonly errors: readonly []; readonly url: URL }
  | { readonly errors: readonly [FieldError]; readonly url: null };

const LONGEST = 2048;
const PORTS = new Set(['', '80', '443', '8443']);
/** Names that mean this machine or this network, whatever they resolve to. */
const LOCAL_NAMES = ['localhost', 'local', 'internal', 'localdomain'];
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** Scheme, authority and the rest, before WHATWG repairs anything: it would take `https:host`, `https:///host` and backslashes too. */
const FORM = /^https?:\/\/([^/?#\\]+)([^?#\\]*)(\?[^#]*)?(?:#.*)?$/i;

/** What the URL holds between authority and fragment, as it was written. */
export const requestTarget = (url: string): string => {
  const [, , path = '', query = ''] = FORM.exec(url) ?? [];
  // Receivers compare secrets in it byte for byte, so that only what HTTP cannot carry is encoded.
  const target = `${path || '/'}${query}`;
  return /^[\x21-\x7e]*$/.test(target) ? target : target.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
};

/** The host as resolvers and certificates know it: an IPv6 literal without its brackets. */
export const bareHost = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');

const isAddressLiteral = (host: string): boolean => host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host);

/** Takes what WHATWG made of a host, where every odd spelling of an address is canonical already. */
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

const findFault = (text: string, rules: WebhookUrlRules): [code: string, message: string] | URL => {
  if (text.length > LONGEST) return ['too_long', `must be at most ${LONGEST} characters`];
  if (/[\s\p{Cc}]/u.test(text) || !text.isWellFormed()) {
    return ['invalid_characters', 'must not hold spaces or control characters'];
  }
  const url = parse(text);
  if (!url) return ['invalid_url', 'must be an absolute http or https URL'];
  if (FORM.exec(text)?.[1]?.includes('@'))
    return ['user_info', 'must not hold a user name or password: use basic_auth'];

  const host = bareHost(url);
  // A trailing dot is another spelling of the same name, and what hides a local or an own one.
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

/** Whether a webhook may have this URL, as far as its text tells. What its name resolves to is another question, asked again at every connection. */
export const checkWebhookUrl = (text: string, rules: WebhookUrlRules): WebhookUrlCheck => {
  const found = findFault(text, rules);
  if (found instanceof URL) return { errors: [], url: found };
  const [code, message] = found;
  return { errors: [{ path: 'url', code, message }], url: null };
};

/** Whether a URL asks for plain http, however it is written. */
export const isPlainHttp = (text: string): boolean => /^http:/i.test(text);
