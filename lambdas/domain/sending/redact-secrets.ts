import type { Rendered } from '../deliveries/profile.ts';
import { MASK } from '../webhooks/webhook.ts';
import { requestTarget } from '../webhooks/webhook-url.ts';

/** The parts of a request that may hold secrets. */
export interface SentRequest {
  readonly url: string;
  /** The webhook's own headers, with their values. */
  readonly ownHeaders: Readonly<Record<string, string>>;
  readonly basicAuth: { readonly username: string; readonly password: string } | null;
  /** The webhook's secrets that signed the request. */
  readonly signingSecrets: readonly string[];
  readonly rendered: Rendered;
}

/** A secret value and the name under which it was sent. */
interface Named {
  readonly name: string;
  readonly value: string;
}

/** The shortest text, in characters, that is replaced wherever it is: shorter texts are parts of many words. */
const SHORTEST = 8;
/**
 * The shortest secret, in characters, that is redacted where it is a whole word. A secret shorter than `SHORTEST` must have a
 * letter and a digit, because an ordinary word or number may be in the answer by chance.
 */
const SHORTEST_MIXED = 4;
/** The shortest text, in characters, that is read as a signature. */
const SHORTEST_SIGNATURE = 16;

/** Matches names of parameters and headers that hold a secret. */
const SECRET_NAME = /secret|token|key|pass|pwd|auth|credential|sig/i;
/** Matches one word in any case, such as `accepted`. */
const WORD = /^(?:\p{Lu}?\p{Ll}+|\p{Lu}+)$/u;
/** Matches words joined by punctuation, such as `task.accepted`, and dates. */
const PHRASE = /^(?:\p{L}+(?:[-_./:+ ]\p{L}+)*|\d{4}-\d\d-\d\d.*)$/u;
const MEDIA_TYPE = /^[a-z]+\/[\w.+*-]+(?:;.*)?$/i;
const hasLetterAndDigit = (value: string): boolean => /\p{L}/u.test(value) && /\d/.test(value);

const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return value;
  }
};

const isSecretValue = (value: string): boolean =>
  value.length >= SHORTEST || (value.length >= SHORTEST_MIXED && hasLetterAndDigit(value));

const isSecretParameter = ({ name, value }: Named): boolean =>
  SECRET_NAME.test(name) ? isSecretValue(value) && !WORD.test(value) : value.length >= SHORTEST && !PHRASE.test(value);

const isSecretHeader = ({ name, value }: Named): boolean =>
  SECRET_NAME.test(name)
    ? isSecretValue(value)
    : value.length >= SHORTEST && !WORD.test(value) && !MEDIA_TYPE.test(value);

/**
 * Returns the signatures in the headers and the body of a request, without a prefix such as `v1=` that names their
 * scheme. A response body that repeats one of them must not be stored as it is.
 */
const signaturesOf = ({ headers, body }: Rendered): string[] => {
  const values = Object.entries(headers).flatMap(([name, value]) => (name.includes('signature') ? [value] : []));
  const inHeaders = values.flatMap((value) => value.split(/[\s,;]+/)).map((part) => part.replace(/^\w+=(?=[^=])/, ''));
  const inBody = [...body.matchAll(/"signature":"([^"]+)"/g)].map(([, signature = '']) => signature);
  return [...inHeaders, ...inBody].filter(({ length }) => length >= SHORTEST_SIGNATURE);
};

const parametersOf = (query: string): Named[] =>
  query.split('&').flatMap((pair) => {
    const [name = '', ...rest] = pair.split('=');
    const value = rest.length > 0 ? rest.join('=') : name;
    return [value, decoded(value)].map((text) => ({ name: rest.length > 0 ? name : '', value: text }));
  });

/** Returns a header's value and, after a scheme such as `Bearer`, the credentials alone. */
const headerValues = (name: string, value: string): Named[] =>
  [value, ...value.split(/^\w+ +/).slice(1)].map((text) => ({ name, value: text }));

const gather = ({ url, ownHeaders, basicAuth, signingSecrets, rendered }: SentRequest) => {
  const target = requestTarget(url);
  const start = target.indexOf('?') + 1;
  const query = start > 0 ? target.slice(start) : '';
  const parameters = parametersOf(query);
  const pair = basicAuth && Buffer.from(`${basicAuth.username}:${basicAuth.password}`).toString('base64');
  const authorization = pair === null ? [] : headerValues('authorization', `Basic ${pair}`);
  const headers = [
    ...Object.entries(ownHeaders).flatMap(([name, value]) => headerValues(name, value)),
    ...authorization,
  ];
  const passwords = [...(basicAuth ? [basicAuth.password] : []), ...signingSecrets];
  return {
    query,
    /** Texts that are replaced wherever they are. */
    anywhere: [
      ...(query.includes('=') && query.length >= SHORTEST ? [query] : []),
      ...[...parameters.filter(isSecretParameter), ...headers.filter(isSecretHeader)].map(({ value }) => value),
      ...passwords.filter(isSecretValue),
      ...signaturesOf(rendered),
    ],
    /** Values that may be ordinary words and are replaced only after their name. */
    afterName: [
      ...parameters.filter(({ name }) => SECRET_NAME.test(name)),
      ...headers,
      ...(basicAuth ? [{ name: 'password', value: basicAuth.password }] : []),
    ].filter(({ value }) => value !== ''),
  };
};

/** Returns the forms in which an answer may repeat a text: as it is, and as JSON, URLs and HTML write it. */
const formsOf = (text: string): string[] => {
  const json = JSON.stringify(text).slice(1, -1);
  const unicode = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const html = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  return [
    text,
    json,
    json.replaceAll('/', '\\/'),
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it selects all characters that are not ASCII.
    json.replaceAll('/', '\\/').replace(/[^\x00-\x7f]/g, unicode),
    json.replace(/[&<>=+']/g, unicode),
    encodeURIComponent(text.toWellFormed()),
    html,
  ];
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

const replaceAnywhere = (text: string, secret: string): string => {
  const isWholeWord = secret.length < SHORTEST || WORD.test(secret);
  if (!isWholeWord) return text.replaceAll(secret, MASK);
  return text.replace(new RegExp(`(?<![\\p{L}\\d])${escaped(secret)}(?![\\p{L}\\d])`, 'gu'), MASK);
};

const replaceAfterName = (text: string, { name, value }: Named): string =>
  text.replace(
    new RegExp(`(${escaped(name)}\\\\?["']?\\s*[:=]\\s*\\\\?["']?)${escaped(value)}(?!\\w)`, 'giu'),
    `$1${MASK}`,
  );

/** Replaces the beginning of a secret at the end of the text, because only the start of a long answer is stored. */
const replaceCutSecret = (text: string, secrets: readonly string[]): string => {
  const cut = secrets.flatMap((secret) => {
    for (let length = Math.min(secret.length - 1, text.length); length >= SHORTEST; length--) {
      if (text.endsWith(secret.slice(0, length))) return length;
    }
    return [];
  });
  return cut.length === 0 ? text : text.slice(0, -Math.max(...cut)) + MASK;
};

/**
 * Returns the text of a receiver's answer with `***` in place of secrets that were sent to the receiver: the URL's
 * query, header values, password and signatures. An ordinary word, such as a query value `accepted`, is replaced only
 * after the name of its secret.
 */
export const redactSecrets = (text: string, sent: SentRequest): string => {
  const { query, anywhere, afterName } = gather(sent);
  const forms = [...new Set(anywhere.flatMap(formsOf))].toSorted((a, b) => b.length - a.length);
  const withoutQuery =
    query === '' ? text : formsOf(`?${query}`).reduce((t, form) => t.replaceAll(form, `?${MASK}`), text);
  const withoutSecrets = forms.reduce(replaceAnywhere, withoutQuery);
  const named = afterName.flatMap(({ name, value }) =>
    [...new Set(formsOf(value))].map((form) => ({ name, value: form })),
  );
  return replaceCutSecret(named.reduce(replaceAfterName, withoutSecrets), forms);
};
