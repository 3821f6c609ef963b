import * as operations from '../contract/event-types.ts';
import type { EventType } from '../domain/events/built-in-types.ts';
import {
  type ChangingEventTypes,
  deleteEventType,
  type EventTypeView,
  isEventTypeName,
  putEventType,
  type SchemaChecker,
  type StoredEventType,
  showEventType,
} from '../domain/events/event-type.ts';
import { invalid } from '../domain/foundation/errors.ts';
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

/** Returns the routes of the calls about event types. */
export const eventTypeRoutes = (
  types: EventTypes,
  catalogue: readonly EventType[],
  checker: SchemaChecker,
): Route[] => [
  route(operations.listEventTypes, async ({ owner, query: { limit, cursor }, cursorScope }) => {
    const after = cursor?.id ?? null;
    // A text that is no name may sort behind the end of the range, and DynamoDB rejects such a range.
    if (after !== null && !isEventTypeName(after)) throw invalid('cursor', 'invalid', 'is not a cursor of this list');
    const own = await types.list(owner, limit, after);
    // Built-in types behind the last own type of this page wait for the next page: more own types may come before them.
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
    return { status: 200, body: pageToBody({ items, next }, (view) => view, cursorScope) };
  }),

  route(operations.putEventType, async (request) => {
    const { type, isNew } = await putEventType(request, { types, checker });
    return { status: isNew ? 201 : 200, body: showEventType(type) };
  }),

  route(operations.deleteEventType, async (request) => {
    await deleteEventType(request, types);
    return { status: 204 };
  }),
];
