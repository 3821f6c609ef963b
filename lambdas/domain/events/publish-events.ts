import { contentHash } from '../foundation/content-hash.ts';
import { type FieldError, PassPostError } from '../foundation/errors.ts';
import { deriveId, drawId } from '../foundation/id.ts';
import { SECOND_MS } from '../foundation/time.ts';
import type { StoredEvent } from './event.ts';
import type { SchemaChecker, StoredEventType } from './event-type.ts';
import type { NewEvent, NewEvents } from './new-event.ts';

export interface EventStore {
  /** Those of the events that are there, by their ids. */
  find(owner: string, ids: readonly string[]): Promise<ReadonlyMap<string, StoredEvent>>;
  /** Adds those that are not there yet, and tells for each whether it was added. */
  add(events: readonly StoredEvent[]): Promise<readonly boolean[]>;
  /** Keeps what an `Idempotency-Key` is used for, or answers the hash of what it was used for before. */
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

/** What there is to publish, and what must be true of it. */
export interface PublishRules {
  readonly isBuiltIn: (name: string) => boolean;
  /** Those of the names that are the account's own. */
  readonly findOwn: (owner: string, names: readonly string[]) => Promise<ReadonlyMap<string, StoredEventType>>;
  readonly checker: Pick<SchemaChecker, 'faultsOfValue'>;
}

/** In the order they were sent. `isRepeat`: all of them had been published before. */
export interface Published {
  readonly events: readonly StoredEvent[];
  readonly isRepeat: boolean;
}

/** A row holds 400 KB: a body within its bound may grow when it is written out, `1e20` as twenty-one digits. */
const MOST_BYTES = 320 * 1024;

interface Candidate {
  readonly event: StoredEvent;
  /** Of its fields in the request: `events.3.`, or nothing. */
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

/** For all the checks of a request against schemas: half of what it has. A hundred, each just quick enough, would take minutes. */
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
  if (Buffer.byteLength(event.data) + Buffer.byteLength(event.meta ?? '') > MOST_BYTES) {
    return [{ path: `${path}data`, code: 'too_big', message: `is longer than ${MOST_BYTES} bytes when written out` }];
  }
  const schema = ownType?.schema ?? null;
  return schema === null ? [] : rules.checker.faultsOfValue(schema, event.data, `${path}data`, time);
};

/** What makes two events under one id the same. */
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

/** Built-in types cost no read, the account's own one for all of them. */
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

/** Each id once: the same id twice in a batch is one event where the content is equal. */
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
 * Publishes events: everything is checked before anything is written, and what was published before under the same id
 * or key is answered as it was. A lone event of a built-in type costs one write and no read.
 */
export const publishEvents = async (
  request: PublishRequest,
  { store, rules }: { readonly store: EventStore; readonly rules: PublishRules },
): Promise<Published> => {
  const { owner, idempotencyKey, nowMs } = request;
  const candidates = candidatesOf(request);
  await refuseFaults(owner, candidates, rules);
  const distinct = distinctOf(candidates);

  const standing = new Map<string, StoredEvent>();
  const lookUp = async (looked: readonly Candidate[]): Promise<void> => {
    const found = await store.find(
      owner,
      looked.map(({ event }) => event.id),
    );
    for (const candidate of looked) {
      const stored = found.get(candidate.event.id);
      if (!stored) continue;
      // Of one whose body was deleted nobody can tell any more.
      const isComparable = stored.payload_deleted_at === undefined;
      if (isComparable && !isSame(stored, candidate.event)) throw reused(candidate);
      standing.set(stored.id, stored);
    }
  };

  const named = distinct.filter(({ event }) => event.publisher_id !== null || idempotencyKey !== null);
  // One event alone is written whole or not at all: whether it stood there before shows then.
  if (named.length > 0 && (distinct.length > 1 || idempotencyKey !== null)) await lookUp(named);
  if (idempotencyKey !== null) {
    const usedFor = await store.claimKey(owner, idempotencyKey, request.contentHash, nowMs);
    if (usedFor !== null && usedFor !== request.contentHash) {
      throw new PassPostError('idempotency_mismatch', 'This Idempotency-Key was used for another request.');
    }
  }

  const missing = distinct.filter(({ event }) => !standing.has(event.id));
  const added = await store.add(missing.map(({ event }) => event));
  const met = missing.filter((_, index) => !added[index]);
  if (met.length > 0) await lookUp(met);
  return {
    events: candidates.map(({ event }) => standing.get(event.id) ?? event),
    isRepeat: added.every((isAdded) => !isAdded),
  };
};
