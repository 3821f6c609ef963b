import type { RenderInput } from '../../domain/deliveries/profile.ts';

/** The members of a JSON object: name and JSON text of each value. */
export type Payload = Readonly<Record<string, string>>;

/** A version's date, and the function that derives its payload from the next newer version's payload. */
export type PayloadVersion = readonly [date: string, fromNewer: (newer: Payload) => Payload];

/** For the newest version: the payload unchanged. */
export const asItIs = (payload: Payload): Payload => payload;

/** For an older version in which some members have other names. `olderNames` maps the newer name to the older one. */
export const withNames =
  (olderNames: Readonly<Record<string, string>>) =>
  (newer: Payload): Payload =>
    Object.fromEntries(Object.entries(newer).map(([name, json]) => [olderNames[name] ?? name, json]));

/** The body for a webhook pinned to a version: the newest payload, converted through every version in between. */
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
