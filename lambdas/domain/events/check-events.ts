import type { FieldError } from '../foundation/errors.ts';
import { withNearName } from '../foundation/near-name.ts';
import { SECOND_MS } from '../foundation/time.ts';
import { builtInEventType, catalogue } from './built-in-types.ts';
import type { SchemaChecker, StoredEventType } from './event-type.ts';
import { MOST_EVENTS, newEventSchema } from './new-event.ts';

/**
 * The dependencies of the check of published events: the names of built-in types, the account's own types, and the
 * schema checker.
 */
export interface PublishRules {
  readonly isBuiltIn: (name: string) => boolean;
  /** Returns the account's own event types that have these names, by name. */
  readonly findOwn: (owner: string, names: readonly string[]) => Promise<ReadonlyMap<string, StoredEventType>>;
  readonly checker: Pick<SchemaChecker, 'faultsOfValue'>;
}

/** An event of a publish request, whose type is a text. */
export interface EventToCheck {
  /** Prefix of the event's field paths in the request: `events.3.`, or '' for a single event. */
  readonly path: string;
  readonly type: string;
  /** `data` and `meta` as JSON texts. `null` if a field of the event has a wrong form, so only the type is checked. */
  readonly texts: { readonly data: string; readonly meta: string | null } | null;
}

/**
 * The maximum number of bytes of an event's `data` and `meta` together, as JSON text. A row holds 400 KB, and a body
 * within the request's limit may grow as JSON text: `1e20` becomes twenty-one digits.
 */
const MOST_BYTES = 320 * 1024;

/**
 * Milliseconds for all schema checks of a request, half of the request's time. A hundred slow checks would take
 * minutes.
 */
const CHECKING_MS = 15 * SECOND_MS;

const publishedTypes = catalogue.filter(({ isOperational }) => !isOperational).map(({ name }) => name);

const faultsOf = async (
  { path, type, texts }: EventToCheck,
  own: ReadonlyMap<string, StoredEventType>,
  rules: PublishRules,
  time: { leftMs: number },
): Promise<readonly FieldError[]> => {
  const ownType = own.get(type);
  if (!ownType && !rules.isBuiltIn(type)) {
    const message = withNearName('is not in the catalogue of event types', type, publishedTypes);
    return [{ path: `${path}type`, code: 'unknown_event_type', message }];
  }
  if (builtInEventType(type)?.isOperational) {
    const message = 'is an operational event type, which only PassPost itself publishes';
    return [{ path: `${path}type`, code: 'operational_event_type', message }];
  }
  if (!texts) return [];
  if (Buffer.byteLength(texts.data) + Buffer.byteLength(texts.meta ?? '') > MOST_BYTES) {
    return [{ path: `${path}data`, code: 'too_big', message: `is longer than ${MOST_BYTES} bytes when written out` }];
  }
  const schema = ownType?.schema ?? null;
  return schema === null ? [] : rules.checker.faultsOfValue(schema, texts.data, `${path}data`, time);
};

/**
 * Returns all faults of the events' types, sizes and schemas; empty = valid. Built-in types cost no read; all own types
 * together cost one.
 */
export const eventFaults = async (
  owner: string,
  events: readonly EventToCheck[],
  rules: PublishRules,
): Promise<readonly FieldError[]> => {
  const others = events.map(({ type }) => type).filter((type) => !rules.isBuiltIn(type));
  const own = others.length > 0 ? await rules.findOwn(owner, others) : new Map<string, StoredEventType>();
  const errors: FieldError[] = [];
  const time = { leftMs: CHECKING_MS };
  for (const event of events) {
    const faults = await faultsOf(event, own, rules, time);
    errors.push(...faults);
    if (faults.some(({ code }) => code === 'too_complex')) break;
  }
  return errors;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/**
 * Returns the events of a request body that has wrong fields, as far as they can be checked: those whose type has the
 * right form.
 */
export const eventsToCheck = (body: unknown): EventToCheck[] => {
  const given = isObject(body) && Array.isArray(body.events) ? body.events.slice(0, MOST_EVENTS) : null;
  return (given ?? [body]).flatMap((item, index) => {
    const type = newEventSchema.shape.type.safeParse(isObject(item) ? item.type : undefined).data;
    if (type === undefined) return [];
    const { data: event } = newEventSchema.safeParse(item);
    const texts = event ? { data: JSON.stringify(event.data), meta: event.meta && JSON.stringify(event.meta) } : null;
    return [{ path: given ? `events.${index}.` : '', type, texts }];
  });
};
