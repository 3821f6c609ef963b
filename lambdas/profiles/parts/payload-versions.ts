import type { RenderInput } from '../../domain/deliveries/profile.ts';

/** A payload: the JSON text of each member's value, by the member's name. */
export type Payload = Readonly<Record<string, string>>;

/** A payload version: its date, and the function that derives its payload from the next newer version's payload. */
export type PayloadVersion = readonly [date: string, fromNewer: (newer: Payload) => Payload];

/** Returns the payload unchanged, for the newest version. */
export const asItIs = (payload: Payload): Payload => payload;

/**
 * Returns the function that renames members for an older payload version. `olderNames` maps the newer name to the older
 * one.
 */
export const withNames =
  (olderNames: Readonly<Record<string, string>>) =>
  (newer: Payload): Payload =>
    Object.fromEntries(Object.entries(newer).map(([name, json]) => [olderNames[name] ?? name, json]));

/**
 * Returns the body for a webhook pinned to a payload version: the newest payload, converted through every version in
 * between.
 */
export const bodyOfVersion = (input: RenderInput, versions: readonly PayloadVersion[]): string => {
  const newest: Payload = {
    id: `"${input.eventId}"`,
    type: JSON.stringify(input.eventType),
    created_at: `"${input.createdAt}"`,
    data: input.dataJson,
  };
  const isNeeded = ([date]: PayloadVersion): boolean => date >= input.apiVersion;
  const payload = versions.filter(isNeeded).reduce((newer, [, fromNewer]) => fromNewer(newer), newest);
  return `{${Object.entries(payload).map(([name, json]) => `"${name}":${json}`)}}`;
};
