import { contentHash } from '../foundation/content-hash.ts';
import { type FieldError, PassPostError } from '../foundation/errors.ts';
import { deriveId, drawId } from '../foundation/id.ts';
import { SECOND_MS } from '../foundation/time.ts';
import { builtInEventType } from './built-in-types.ts';
import type { StoredEvent } from './event.ts';
import type { SchemaChecker, StoredEventType } from './event-type.ts';
import type { NewEvent, NewEvents } from './new-event.ts';

export interface EventStore {
  /** Returns the stored events that have these ids, by id. */
  find(owner: string, ids: readonly string[]): Promise<ReadonlyMap<string, StoredEvent>>;
  /** Adds the events whose ids are not stored yet. Returns for each event whether it was added. */
  add(events: readonly StoredEvent[]): Promise<readonly boolean[]>;
  /**
   * Stores the content hash of an Idempotency-Key's first use, or returns the stored hash if the key was used before.
   */
  claimKey(owner: string, idempotencyKey: string, contentHash: string, nowMs: number): Promise<string | null>;
}

export interface PublishRequest {
  readonly owner: string;
  readonly body: NewEvents;
  readonly idempotencyKey: string | null;
  readonly contentHash: string;
  readonly retentionDays: number | undefined;
  readonly requestId: string;
  readonly traceId?: string | undefined;
  readonly nowMs: number;
}

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

/** The published events in the order of the request. `isRepeat` = all of them were published before. */
export interface Published {
  readonly events: readonly StoredEvent[];
  readonly isRepeat: boolean;
}

/**
 * The maximum number of bytes of an event's `data` and `meta` together, as JSON text. A row holds 400 KB, and a body
 * within the request's limit may grow as JSON text: `1e20` becomes twenty-one digits.
 */
const MOST_BYTES = 320 * 1024;

interface Candidate {
  readonly event: StoredEvent;
  /** Prefix of the event's field paths in the request: `events.3.`, or '' for a single event. */
  readonly path: string;
}

const idOf = (request: PublishRequest, { id }: NewEvent, index: number): string => {
  const { owner, idempotencyKey, nowMs } = request;
  if (id !== undefined) return deriveId('evt', owner, 'id', id);
  if (idempotencyKey !== null) return deriveId('evt', owner, 'key', idempotencyKey, String(index));
  return drawId('evt', nowMs);
};

const candidatesOf = (request: PublishRequest): Candidate[] => {
  const { owner, body, requestId, traceId, retentionDays, nowMs } = request;
  const isBatch = 'events' in body;
  return (isBatch ? body.events : [body]).map((given, index) => ({
    path: isBatch ? `events.${index}.` : '',
    event: {
      id: idOf(request, given, index),
      owner,
      origin: 'publish',
      type: given.type,
      resource: given.resource,
      data: JSON.stringify(given.data),
      meta: given.meta && JSON.stringify(given.meta),
      publisher_id: given.id ?? null,
      sequence: null,
      retention_days: retentionDays,
      created_at: new Date(nowMs).toISOString(),
      call: { request_id: requestId, trace_id: traceId },
    },
  }));
};

type OwnTypes = Awaited<ReturnType<PublishRules['findOwn']>>;

/**
 * Milliseconds for all schema checks of a request, half of the request's time. A hundred slow checks would take
 * minutes.
 */
const CHECKING_MS = 15 * SECOND_MS;

const findFaults = async (
  { event, path }: Candidate,
  own: OwnTypes,
  rules: PublishRules,
  time: { leftMs: number },
): Promise<readonly FieldError[]> => {
  const ownType = own.get(event.type);
  if (!ownType && !rules.isBuiltIn(event.type)) {
    return [{ path: `${path}type`, code: 'unknown_event_type', message: 'is not in the catalogue of event types' }];
  }
  if (builtInEventType(event.type)?.isOperational) {
    const message = 'is an operational event type, which only PassPost itself publishes';
    return [{ path: `${path}type`, code: 'operational_event_type', message }];
  }
  if (Buffer.byteLength(event.data) + Buffer.byteLength(event.meta ?? '') > MOST_BYTES) {
    return [{ path: `${path}data`, code: 'too_big', message: `is longer than ${MOST_BYTES} bytes when written out` }];
  }
  const schema = ownType?.schema ?? null;
  return schema === null ? [] : rules.checker.faultsOfValue(schema, event.data, `${path}data`, time);
};

/** Returns the hash of the content that must be equal if two events have the same id. */
const contentOf = ({ type, data, resource, meta, publisher_id }: StoredEvent): string =>
  contentHash([type, JSON.parse(data), resource, meta === null ? null : JSON.parse(meta), publisher_id]);

const isSame = (a: StoredEvent, b: StoredEvent): boolean => contentOf(a) === contentOf(b);

const reused = ({ event, path }: Candidate): PassPostError => {
  if (event.publisher_id === null) {
    return new PassPostError('idempotency_mismatch', 'This Idempotency-Key was used for another request.');
  }
  const error = { path: `${path}id`, code: 'id_reused', message: 'was used for an event with other content' };
  return new PassPostError('invalid', `Wrong: ${error.path}.`, { errors: [error] });
};

/**
 * Checks the events' types, sizes and schemas. Throws `invalid` with all faults. Built-in types cost no read; all own
 * types together cost one.
 */
const refuseFaults = async (owner: string, candidates: readonly Candidate[], rules: PublishRules): Promise<void> => {
  const others = candidates.map(({ event }) => event.type).filter((type) => !rules.isBuiltIn(type));
  const own: OwnTypes = others.length > 0 ? await rules.findOwn(owner, others) : new Map();
  const errors: FieldError[] = [];
  const time = { leftMs: CHECKING_MS };
  for (const candidate of candidates) {
    const faults = await findFaults(candidate, own, rules, time);
    errors.push(...faults);
    if (faults.some(({ code }) => code === 'too_complex')) break;
  }
  if (errors.length === 0) return;
  throw new PassPostError('invalid', `Wrong: ${errors.map(({ path }) => path).join(', ')}.`, { errors });
};

/**
 * Returns the events with each id once. The same id twice in a batch is one event if the content is equal; otherwise
 * throws.
 */
const distinctOf = (candidates: readonly Candidate[]): Candidate[] => {
  const byId = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const first = byId.get(candidate.event.id);
    if (first && !isSame(first.event, candidate.event)) throw reused(candidate);
    if (!first) byId.set(candidate.event.id, candidate);
  }
  return [...byId.values()];
};

/**
 * Publishes events. Checks everything before it writes anything. An event that was published before, under the same id
 * or Idempotency-Key, is returned as it was published. A single event of a built-in type costs one write and no read.
 * Throws `invalid` or `idempotency_mismatch`.
 */
export const publishEvents = async (
  request: PublishRequest,
  { store, rules }: { readonly store: EventStore; readonly rules: PublishRules },
): Promise<Published> => {
  const candidates = candidatesOf(request);
  await refuseFaults(request.owner, candidates, rules);
  const distinct = distinctOf(candidates);

  const known = await findEarlier(request, distinct, store);
  await claimKey(request, store);
  const missing = distinct.filter(({ event }) => !known.has(event.id));
  const added = await store.add(missing.map(({ event }) => event));
  const present = missing.filter((_, index) => !added[index]);
  const stored = new Map([...known, ...(await findSame(request.owner, present, store))]);
  return {
    events: candidates.map(({ event }) => stored.get(event.id) ?? event),
    isRepeat: added.every((isAdded) => !isAdded),
  };
};

/**
 * Returns, by id, the stored events whose ids occur in a publish request. Throws if a stored event has other content
 * than the event with the same id in the request.
 */
const findSame = async (
  owner: string,
  candidates: readonly Candidate[],
  store: EventStore,
): Promise<ReadonlyMap<string, StoredEvent>> => {
  if (candidates.length === 0) return new Map();
  const ids = candidates.map(({ event }) => event.id);
  const stored = await store.find(owner, ids);
  for (const candidate of candidates) {
    const event = stored.get(candidate.event.id);
    // Accepts a stored event whose payload was erased as equal, because its content can no longer be compared.
    const isComparable = event && event.payload_deleted_at === undefined;
    if (isComparable && !isSame(event, candidate.event)) throw reused(candidate);
  }
  return stored;
};

/**
 * Returns the events that were published before, by id. A single insert reports a duplicate by itself, so it needs no
 * lookup.
 */
const findEarlier = async (
  { owner, idempotencyKey }: PublishRequest,
  distinct: readonly Candidate[],
  store: EventStore,
): Promise<ReadonlyMap<string, StoredEvent>> => {
  if (distinct.length === 1 && idempotencyKey === null) return new Map();
  const named = distinct.filter(({ event }) => event.publisher_id !== null || idempotencyKey !== null);
  return findSame(owner, named, store);
};

/** Stores the first use of the request's Idempotency-Key. Throws if the key was used for other content. */
const claimKey = async (
  { owner, idempotencyKey, contentHash: hash, nowMs }: PublishRequest,
  store: EventStore,
): Promise<void> => {
  if (idempotencyKey === null) return;
  const usedFor = await store.claimKey(owner, idempotencyKey, hash, nowMs);
  if (usedFor !== null && usedFor !== hash) {
    throw new PassPostError('idempotency_mismatch', 'This Idempotency-Key was used for another request.');
  }
};
