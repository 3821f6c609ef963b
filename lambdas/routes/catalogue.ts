import * as z from 'zod';
import * as operations from '../contract/catalogue.ts';
import type { Profile } from '../domain/deliveries/profile.ts';
import { type Page, type Position, pageToBody } from '../domain/foundation/page.ts';
import { type Route, route } from '../runtime/operation.ts';

/** Returns a page, sorted by name, of a list that fits into memory. */
const pageByName = <T extends { readonly name: string }>(
  all: readonly T[],
  limit: number,
  after: Position | undefined,
): Page<T> => {
  const rest = all
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .filter(({ name }) => after === undefined || name > after.id);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return { items, next: last && rest.length > limit ? { at: '', id: last.name } : null };
};

const showProfile = ({ name, events, schedule, apiVersions, options }: Profile) => ({
  name,
  events,
  schedule,
  api_versions: apiVersions,
  profile_options: z.toJSONSchema(options),
});

/** Returns the route of the call that lists the profiles. */
export const profileRoutes = (profiles: readonly Profile[]): Route[] => [
  route(operations.listProfiles, async ({ query: { limit, cursor }, cursorScope }) => ({
    status: 200,
    body: pageToBody(pageByName(profiles, limit, cursor), showProfile, cursorScope),
  })),
];
