import { randomUUID } from 'node:crypto';
import diagnostics from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { saveForVerdicts } from '../helpers/run-folder.ts';
import type { Needle, NeedleKind } from './find-needles.ts';

// Collects the secrets and bodies that a test file sends to functions or gets from them. The secrecy verdict then searches for
// them in everything that the functions wrote.

/** Whether a text is long and varied enough that it does not appear elsewhere by chance. Excludes made-up keys of zeros. */
const isDistinctive = (text: string): boolean => text.length >= 8 && new Set(text).size >= 5;

const noted = new Map<string, Needle>();

/** Text that tests put into bodies. It may not appear anywhere else. */
export const canary = `canary-${randomUUID()}`;

/** Collects a value. Ignores everything that is not a string. */
export const note = (kind: NeedleKind, value: unknown): void => {
  if (typeof value !== 'string') return;
  // Removes known prefixes, because they appear in many places and the search by prefixes would stop at each of them.
  for (const text of value.replaceAll(/whsec_|pp_(live|test)_|sha\d+=|v1a?[=,]|t=\d+,/g, ' ').split(/[\s,]+/)) {
    if (isDistinctive(text)) noted.set(`${kind} ${text}`, { kind, text });
  }
};

const noteUrl = (url: unknown): void => {
  if (typeof url === 'string' && url.includes('?')) note('query string', url.slice(url.indexOf('?') + 1));
};

/** Collects the credential of an Authorization header. Ignores AWS signatures. */
export const noteAuthorization = (value: string | undefined): void => {
  if (value === undefined || value.startsWith('AWS4')) return;
  const [, scheme, text] = /^(?:(Basic|Bearer) )?(.*)$/.exec(value) ?? [];
  note(/pp_(live|test)_/.test(value) ? 'API key' : scheme === 'Basic' ? 'password' : 'access token', text);
};

const jsonOf = (text: unknown): Readonly<Record<string, unknown>> => {
  try {
    const parsed: unknown = JSON.parse(String(text));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

/** Collects the secrets of a request to the API: credentials, header values and the query of a webhook. */
export const noteRequest = (text: unknown): void => {
  const { secret, basic_auth, headers, url, target_url } = jsonOf(text);
  note('webhook secret', secret);
  note('password', (basic_auth as { password?: unknown } | null | undefined)?.password);
  for (const value of Object.values(headers ?? {})) note('header value', value);
  noteUrl(url);
  noteUrl(target_url);
};

/** Collects the secrets of an API response, which the API shows only once. */
export const noteAnswer = (text: unknown): void => {
  const { secret, key, accessToken } = jsonOf(text);
  note('webhook secret', secret);
  note('API key', key);
  note('access token', accessToken);
};

/** Collects the private members of every key of the keyring. */
export const noteKeyring = (text: string): void => {
  const { sealing = [], signing = [] } = jsonOf(text) as Record<string, { jwk: Record<string, unknown> }[]>;
  for (const { jwk } of [...sealing, ...signing]) {
    for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi']) note('private key', jwk[name]);
  }
};

const noteHeaders = (headers: IncomingHttpHeaders): void => {
  noteAuthorization(headers.authorization);
  for (const [name, value] of Object.entries(headers)) if (name.includes('signature')) note('signature', value);
};

/** Collects the credentials and signatures of every request to a server of this process: receivers and the API. */
export const noteServed = (): void =>
  diagnostics.subscribe('http.server.request.start', (message) =>
    noteHeaders((message as { request: IncomingMessage }).request.headers),
  );

/** Stores the collected texts for the verdict. */
export const leaveNotes = (): void =>
  saveForVerdicts('needles', [{ kind: 'event body', text: canary }, ...noted.values()]);
