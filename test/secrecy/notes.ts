import { randomUUID } from 'node:crypto';
import diagnostics from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { saveForVerdicts } from '../helpers/run-folder.ts';
import type { Needle, NeedleKind } from './find-needles.ts';

// What must stand nowhere that the functions write, noted as a test file gives it to them or gets it from them.

/** Shorter ones stand anywhere by chance, and so do the zeros of a key that a test made up. */
const isTelling = (text: string): boolean => text.length >= 8 && new Set(text).size >= 5;

const noted = new Map<string, Needle>();

/** Stands in the bodies of what tests send, and may not come out anywhere else. */
export const canary = `canary-${randomUUID()}`;

export const note = (kind: NeedleKind, value: unknown): void => {
  if (typeof value !== 'string') return;
  // What is random about it: a known beginning may stand anywhere, and a search by beginnings would stop at each.
  for (const text of value.replaceAll(/whsec_|pp_(live|test)_|sha\d+=|v1a?[=,]|t=\d+,/g, ' ').split(/[\s,]+/)) {
    if (isTelling(text)) noted.set(`${kind} ${text}`, { kind, text });
  }
};

const noteUrl = (url: unknown): void => {
  if (typeof url === 'string' && url.includes('?')) note('query string', url.slice(url.indexOf('?') + 1));
};

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

/** A request to the API: what a webhook is to be sent with, and where to. */
export const noteRequest = (text: unknown): void => {
  const { secret, basic_auth, headers, url, target_url } = jsonOf(text);
  note('webhook secret', secret);
  note('password', (basic_auth as { password?: unknown } | null | undefined)?.password);
  for (const value of Object.values(headers ?? {})) note('header value', value);
  noteUrl(url);
  noteUrl(target_url);
};

/** An answer of the API: what is shown once. */
export const noteAnswer = (text: unknown): void => {
  const { secret, key, accessToken } = jsonOf(text);
  note('webhook secret', secret);
  note('API key', key);
  note('access token', accessToken);
};

/** The keyring as its secret holds it: of each key whatever its public half has not. */
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

/** Reads along whatever comes to a server of the test's: to receivers, and to the API. */
export const noteServed = (): void =>
  diagnostics.subscribe('http.server.request.start', (message) =>
    noteHeaders((message as { request: IncomingMessage }).request.headers),
  );

export const leaveNotes = (): void =>
  saveForVerdicts('needles', [{ kind: 'event body', text: canary }, ...noted.values()]);
