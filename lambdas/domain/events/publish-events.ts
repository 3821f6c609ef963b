import { contentHash } from '../foundation/content-hash.ts';
import { customerOfNew } from '../foundation/customer.ts';
import { PassPostError, refuseFaults } from '../foundation/errors.ts';
import { deriveId, drawId } from '../foundation/id.ts';
import { eventFaults, type PublishRules } from './check-events.ts';
import type { StoredEvent } from './event.ts';
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
  /** The customer of the account to whom the caller's key is bound. */
  readonly customer: string | null;
  readonly body: NewEvents;
  readonly idempotencyKey: string | null;
  readonly contentHash: string;
  readonly retentionDays: number | undefined;
  readonly requestId: string;
  readonly traceId?: string | undefined;
  readonly nowMs: number;
}

/** The published events in the order of the request. `isRepeat` = all of them were published before. */
export interface Published {
  readonly events: readonly StoredEvent[];
  readonly isRepeat: boolean;
}

interface Candidate {
  readonly event: StoredEvent;
  /** Prefix of the event's field paths in the request: `events.3.`, or '' for a single event. */
  readonly path: string;
}

/** Returns the id of a new event. The publisher's own ids count for each customer of the account by themselves. */
const idOf = (request: PublishRequest, { id }: NewEvent, customer: string | null, index: number): string => {
  const { owner, idempotencyKey, nowMs } = request;
  if (id !== undefined) return deriveId('evt', owner, 'id', id, ...(customer === null ? [] : [customer]));
  if (idempotencyKey !== null) return deriveId('evt', owner, 'key', idempotencyKey, String(index));
  return drawId('evt', nowMs);
};

const candidatesOf = (request: PublishRequest): Candidate[] => {
  const { owner, body, requestId, traceId, retentionDays, nowMs } = request;
  const isBatch = 'events' in body;
  return (isBatch ? body.events : [body]).map((given, index) => {
    const path = isBatch ? `events.${index}.` : '';
    const customer = customerOfNew(request.customer, given.owner, `${path}owner`);
    const event: StoredEvent = {
      id: idOf(request, given, customer, index),
      owner,
      customer,
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
    };
    return { path, event };
  });
};

/** Returns the hash of the content that must be equal if two events have the same id. */
const contentOf = ({ type, data, resource, meta, publisher_id, customer }: StoredEvent): string =>
  contentHash([type, JSON.parse(data), resource, meta === null ? null : JSON.parse(meta), publisher_id, customer]);

const isSame = (a: StoredEvent, b: StoredEvent): boolean => contentOf(a) === contentOf(b);

const reused = ({ event, path }: Candidate): PassPostError => {
  if (event.publisher_id === null) {
    return new PassPostError('idempotency_mismatch', 'This Idempotency-Key was used for another request.');
  }
  const error = { path: `${path}id`, code: 'id_reused', message: 'was used for an event with other content' };
  return new PassPostError('invalid', `Wrong: ${error.path}.`, { errors: [error] });
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
  const toCheck = candidates.map(({ path, event: { type, data, meta } }) => ({ path, type, texts: { data, meta } }));
  refuseFaults(await eventFaults(request.owner, toCheck, rules));
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
const claimKey = async (request: PublishRequest, store: EventStore): Promise<void> => {
  const { owner, idempotencyKey, nowMs } = request;
  if (idempotencyKey === null) return;
  const { contentHash: hash } = request;
  const usedFor = await store.claimKey(owner, idempotencyKey, hash, nowMs);
  if (usedFor !== null && usedFor !== hash) {
    throw new PassPostError('idempotency_mismatch', 'This Idempotency-Key was used for another request.');
  }
};
