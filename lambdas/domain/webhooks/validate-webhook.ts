import type * as z from 'zod';
import type { Profile, SigningKeySource } from '../deliveries/profile.ts';
import { catalogue } from '../events/built-in-types.ts';
import { type FieldError, invalid } from '../foundation/errors.ts';
import { withNearName } from '../foundation/near-name.ts';
import { checkHeaders } from './header-rules.ts';
import { EVERYTHING, MOST_EVENTS } from './webhook.ts';

export interface WebhookRules {
  readonly profiles: Readonly<Record<string, Profile>>;
  readonly isEventType: (name: string) => boolean;
  /**
   * Returns the account's own event types that have these names. Absent on an API surface with a closed list of types.
   */
  readonly ownEventTypes?: (owner: string, names: readonly string[]) => Promise<ReadonlyMap<string, unknown>>;
  /** Checks a URL's text and the addresses that its host resolves to. Returns the faults; empty = valid. */
  readonly checkUrl: (url: string, allowHttp: boolean) => Promise<readonly FieldError[]>;
}

/** The settings to check: all of a new webhook, or the changed ones. A change of allow_http checks the URL too. */
export interface SettingsToCheck {
  readonly url?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly profile_options?: unknown;
  readonly schedule?: string | readonly number[] | null | undefined;
  readonly headers?: Readonly<Record<string, string>> | null | undefined;
  readonly api_version?: string | undefined;
  readonly secret?: string | undefined;
}

/** Other settings of the webhook that the checks need, as they will be after the change. */
export interface SettingsContext {
  readonly owner: string;
  /** Whether the webhook belongs to a customer of the account. */
  readonly isOfCustomer: boolean;
  readonly allowHttp: boolean;
  readonly hasBasicAuth: boolean;
  /** Names of the custom headers that the change does not replace. */
  readonly unchangedHeaderNames: readonly string[];
}

const fieldErrors = (root: string, { issues }: z.ZodError): FieldError[] =>
  issues.flatMap((issue) => {
    const path = [root, ...issue.path.map(String)].join('.');
    const names = issue.code === 'unrecognized_keys' ? issue.keys : [];
    if (names.length === 0)
      return [{ path, code: issue.code === 'custom' ? 'invalid' : issue.code, message: issue.message }];
    return names.map((name) => ({ path: `${path}.${name}`, code: 'unknown_field', message: 'is unknown' }));
  });

const unknownProfile = (path: string, name: string, { profiles }: Pick<WebhookRules, 'profiles'>): FieldError => {
  const names = Object.keys(profiles);
  const message = `There is no such profile. The profiles are ${names.join(', ')}.`;
  return { path, code: 'unknown_profile', message: withNearName(message, name, names) };
};

/** Returns the profile with this name. Throws `invalid` if there is none. */
export const profileNamed = (name: string, rules: Pick<WebhookRules, 'profiles'>): Profile => {
  const profile = rules.profiles[name];
  if (profile) return profile;
  const { path, code, message } = unknownProfile('profile', name, rules);
  throw invalid(path, code, message);
};

const NOT_IN_CATALOGUE = 'is not in the catalogue of event types';
const typeNames = catalogue.map(({ name }) => name);

const checkEvents = async (
  events: readonly string[],
  { owner }: SettingsContext,
  { isEventType, ownEventTypes }: WebhookRules,
): Promise<FieldError[]> => {
  const others = [...new Set(events)].filter((name) => name !== EVERYTHING && !isEventType(name));
  // Own types beyond the limit of names are not looked up, and are reported as unknown.
  const own = others.length > 0 ? await ownEventTypes?.(owner, others.slice(0, MOST_EVENTS)) : undefined;
  const unknown = events.flatMap((name, index) =>
    name === EVERYTHING || isEventType(name) || own?.has(name)
      ? []
      : [
          {
            path: `events.${index}`,
            code: 'unknown_event_type',
            message: withNearName(NOT_IN_CATALOGUE, name, typeNames),
          },
        ],
  );
  const isTooMany = new Set(events).size > MOST_EVENTS;
  return isTooMany
    ? [...unknown, { path: 'events', code: 'too_big', message: `must be at most ${MOST_EVENTS} names` }]
    : unknown;
};

const checkAllHeaders = (
  headers: SettingsToCheck['headers'],
  { hasBasicAuth, unchangedHeaderNames }: SettingsContext,
  { profiles }: WebhookRules,
): FieldError[] => {
  if (headers) {
    const reservedPrefixes = Object.values(profiles).flatMap(({ headerPrefixes }) => headerPrefixes);
    return checkHeaders(headers, { hasBasicAuth, reservedPrefixes });
  }
  const isTaken = hasBasicAuth && unchangedHeaderNames.some((name) => name.toLowerCase() === 'authorization');
  if (!isTaken) return [];
  return [{ path: 'basic_auth', code: 'reserved', message: 'needs the `authorization` header, which `headers` sets' }];
};

/** Returns whether a source of private keys is a key of the account. */
const isAccountKey = (source: SigningKeySource | undefined): boolean =>
  source !== undefined && source !== null && source !== 'webhook';

/** Returns the faults of the settings whose form is a matter of the profile. */
const checkByProfile = (
  { profile_options, api_version, secret }: SettingsToCheck,
  profile: Profile,
  isOfCustomer: boolean,
): readonly FieldError[] => {
  const errors: FieldError[] = [];
  const options = profile_options === undefined ? null : profile.options.safeParse(profile_options);
  if (options?.error) errors.push(...fieldErrors('profile_options', options.error));
  // All customers of the account would share the key, so one of them could have an event signed for the receiver of another.
  if (isOfCustomer && options?.success && isAccountKey(profile.signingKey?.(options.data))) {
    const message = 'signs with a key of the account, which a webhook with an owner cannot use';
    errors.push({ path: 'profile_options', code: 'account_key', message });
  }
  if (api_version !== undefined && !profile.apiVersions.includes(api_version)) {
    const message = `must be a version of the profile: ${profile.apiVersions.join(', ')}`;
    errors.push({ path: 'api_version', code: 'unknown_version', message });
  }
  const ownSecret = secret === undefined ? null : profile.secret.safeParse(secret);
  if (ownSecret?.error) errors.push(...fieldErrors('secret', ownSecret.error));
  return errors;
};

/** Returns whether a field, or a part of it, has a fault. */
export const hasFaultAt = (faults: readonly FieldError[], field: string): boolean =>
  faults.some(({ path }) => path === field || path.startsWith(`${field}.`));

/**
 * Returns all faults of the settings of a webhook that depend on the profile, the catalogue and the network. `profile` =
 * the profile's name; `undefined` if the name itself is no text, so that nothing is checked against the profile.
 */
export const settingsFaults = async (
  settings: SettingsToCheck,
  context: SettingsContext,
  profileName: string | undefined,
  rules: WebhookRules,
): Promise<readonly FieldError[]> => {
  const { url, events, schedule, headers } = settings;
  const profile = profileName === undefined ? undefined : rules.profiles[profileName];
  const errors = [
    ...(url === undefined ? [] : await rules.checkUrl(url, context.allowHttp)),
    ...(await checkEvents(events ?? [], context, rules)),
    ...checkAllHeaders(headers, context, rules),
  ];
  if (profile) errors.push(...checkByProfile(settings, profile, context.isOfCustomer));
  else if (profileName !== undefined) errors.push(unknownProfile('profile', profileName, rules));
  if (typeof schedule === 'string' && !rules.profiles[schedule]) {
    const names = Object.keys(rules.profiles);
    const message = withNearName('must be the name of a profile', schedule, names);
    errors.push({ path: 'schedule', code: 'unknown_profile', message });
  }
  return errors;
};
