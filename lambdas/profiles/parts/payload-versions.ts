import type { RenderInput } from '../../domain/deliveries/profile.ts';

/** The members of a JSON object and the JSON texts of their values. */
export type Payload = Readonly<Record<string, string>>;

/** A version's date, and how it makes its payload of the next newer version's. */
export type PayloadVersion = readonly [date: string, fromNewer: (newer: Payload) => Payload];

/** What the newest version is: the payload as all the others are made of it. */
export const asItIs = (payload: Payload): Payload => payload;

/** An older version in which some members have other names. */
export const withNames =
  (olderNames: Readonly<Record<string, string>>) =>
  (newer: Payload): Payload =>
    Object.fromEntries(Object.entries(newer).map(([name, json]) => [olderNames[name] ?? name, json]));

/** The body for a webhook pinned to a version: the newest payload, down-converted one version after the other. */
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
