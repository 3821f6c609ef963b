import type * as z from 'zod';
import type { Profile } from '../deliveries/profile.ts';
import { type FieldError, invalid, PassPostError } from '../foundation/errors.ts';
import { checkHeaders } from './header-rules.ts';
import { EVERYTHING, MOST_EVENTS } from './webhook.ts';

export interface WebhookRules {
  readonly profiles: Readonly<Record<string, Profile>>;
  readonly isEventType: (name: string) => boolean;
  /** Those of the names that are the account's own; absent on a surface whose clients know a closed list. */
  readonly ownEventTypes?: (owner: string, names: readonly string[]) => Promise<ReadonlyMap<string, unknown>>;
  /** What is wrong with an address, by its text or by where its name leads. */
  readonly checkUrl: (url: string, allowHttp: boolean) => Promise<readonly FieldError[]>;
}

/** What to look at: all of a new webhook, or what a change brings. */
export interface Settings {
  readonly url?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly profile_options?: unknown;
  readonly schedule?: string | readonly number[] | null | undefined;
  readonly headers?: Readonly<Record<string, string>> | null | undefined;
  readonly api_version?: string | undefined;
  readonly secret?: string | undefined;
}

/** What holds of the webhook besides, once a change is made. */
export interface Standing {
  readonly owner: string;
  readonly allowHttp: boolean;
  readonly hasBasicAuth: boolean;
  /** Of the headers that a change leaves as they are. */
  readonly keptHeaderNames: readonly string[];
}

const fieldErrors = (root: string, { issues }: z.ZodError): FieldError[] =>
  issues.flatMap((issue) => {
    const at = [root, ...issue.path.map(String)].join('.');
    const names = issue.code === 'unrecognized_keys' ? issue.keys : [];
    if (names.length === 0)
      return [{ path: at, code: issue.code === 'custom' ? 'invalid' : issue.code, message: issue.message }];
    return names.map((name) => ({ path: `${at}.${name}`, code: 'unknown_field', message: 'is not known here' }));
  });

/** The profile a webhook names, or a refusal. */
export const profileNamed = (name: string, { profiles }: Pick<WebhookRules, 'profiles'>): Profile => {
  const profile = profiles[name];
  if (profile) return profile;
  throw invalid(
    'profile',
    'unknown_profile',
    `No profile is called so; there are ${Object.keys(profiles).join(', ')}.`,
  );
};

const checkEvents = async (
  events: readonly string[],
  { owner }: Standing,
  { isEventType, ownEventTypes }: WebhookRules,
): Promise<FieldError[]> => {
  const others = [...new Set(events)].filter((name) => name !== EVERYTHING && !isEventType(name));
  // Of more than a webhook may name, some are named as unknown.
  const own = others.length > 0 ? await ownEventTypes?.(owner, others.slice(0, MOST_EVENTS)) : undefined;
  const unknown = events.flatMap((name, index) =>
    name === EVERYTHING || isEventType(name) || own?.has(name)
      ? []
      : [{ path: `events.${index}`, code: 'unknown_event_type', message: 'is not in the catalogue of event types' }],
  );
  const isTooMany = new Set(events).size > MOST_EVENTS;
  return isTooMany
    ? [...unknown, { path: 'events', code: 'too_big', message: `must be at most ${MOST_EVENTS} names` }]
    : unknown;
};

const checkAllHeaders = (
  headers: Settings['headers'],
  { hasBasicAuth, keptHeaderNames }: Standing,
  { profiles }: WebhookRules,
): FieldError[] => {
  if (headers) {
    const reservedPrefixes = Object.values(profiles).flatMap(({ headerPrefixes }) => headerPrefixes);
    return checkHeaders(headers, { hasBasicAuth, reservedPrefixes });
  }
  const isTaken = hasBasicAuth && keptHeaderNames.some((name) => name.toLowerCase() === 'authorization');
  if (!isTaken) return [];
  return [{ path: 'basic_auth', code: 'reserved', message: 'needs the header that `headers` sets already' }];
};

/** Holds settings to what depends on the profile, the catalogue and the network, and names everything that is wrong. */
export const checkSettings = async (
  { url, events, profile_options, schedule, headers, api_version, secret }: Settings,
  standing: Standing,
  profile: Profile,
  rules: WebhookRules,
): Promise<void> => {
  const errors = [
    ...(url === undefined ? [] : await rules.checkUrl(url, standing.allowHttp)),
    ...(await checkEvents(events ?? [], standing, rules)),
    ...checkAllHeaders(headers, standing, rules),
  ];
  const options = profile_options === undefined ? null : profile.options.safeParse(profile_options);
  if (options?.error) errors.push(...fieldErrors('profile_options', options.error));
  if (typeof schedule === 'string' && !rules.profiles[schedule]) {
    errors.push({ path: 'schedule', code: 'unknown_profile', message: 'no profile is called so' });
  }
  if (api_version !== undefined && !profile.apiVersions.includes(api_version)) {
    const message = `is no version of the profile's; there are ${profile.apiVersions.join(', ')}`;
    errors.push({ path: 'api_version', code: 'unknown_version', message });
  }
  const own = secret === undefined ? null : profile.secret.safeParse(secret);
  if (own?.error) errors.push(...fieldErrors('secret', own.error));
  if (errors.length === 0) return;
  const names = errors.map(({ path }) => path).join(', ');
  throw new PassPostError('invalid', `Wrong: ${names}.`, { errors });
};
