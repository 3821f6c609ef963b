import * as operations from '../contract/event-types.ts';
import type { EventType } from '../domain/events/built-in-types.ts';
import {
  type ChangingEventTypes,
  deleteEventType,
  type EventTypeView,
  putEventType,
  type SchemaChecker,
  type StoredEventType,
  showEventType,
} from '../domain/events/event-type.ts';
import { ownerKey } from '../domain/foundation/owner.ts';
import { pageToBody } from '../domain/foundation/page.ts';
import { type Route, route } from '../runtime/operation.ts';

export interface EventTypes extends ChangingEventTypes {
  list(
    owner: string,
    limit: number,
    after: string | null,
  ): Promise<{ readonly types: readonly StoredEventType[]; readonly hasMore: boolean }>;
}

const builtInView = ({ name, description }: EventType): EventTypeView => ({
  name,
  description,
  schema: null,
  builtin: true,
});

/** The calls about types of events. */
export const eventTypeRoutes = (
  types: EventTypes,
  catalogue: readonly EventType[],
  checker: SchemaChecker,
): Route[] => [
  route(operations.listEventTypes, async ({ owner, query: { limit, cursor } }) => {
    const after = cursor?.id ?? null;
    const own = await types.list(ownerKey(owner), limit, after);
    // What comes behind the last of the own that were read waits for the next page: between them may be more.
    const until = own.hasMore ? own.types.at(-1)?.name : undefined;
    const builtIn = catalogue.filter(
      ({ name }) => (after === null || name > after) && (until === undefined || name < until),
    );
    const all = [...builtIn.map(builtInView), ...own.types.map(showEventType)].toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    );
    const items = all.slice(0, limit);
    const last = items.at(-1);
    const next = last && (all.length > limit || own.hasMore) ? { at: '', id: last.name } : null;
    return { status: 200, body: pageToBody({ items, next }, (view) => view) };
  }),

  route(operations.putEventType, async ({ owner, params, body, by, nowMs }) => {
    const wanted = { owner: ownerKey(owner), name: params.name ?? '', body, by, nowMs };
    const { type, isNew } = await putEventType(wanted, { types, checker });
    return { status: isNew ? 201 : 200, body: showEventType(type) };
  }),

  route(operations.deleteEventType, async ({ owner, params, by, nowMs }) => {
    await deleteEventType({ owner: ownerKey(owner), name: params.name ?? '', by, nowMs }, types);
    return { status: 204 };
  }),
];
