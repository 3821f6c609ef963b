import * as z from 'zod';
import { type Actor, auditEntry, fieldsOf, type StoredAuditEntry } from '../foundation/audit.ts';
import { type FieldError, invalid, notFound, PassPostError } from '../foundation/errors.ts';
import { rowVersion } from '../foundation/row-version.ts';
import { isBuiltIn } from './built-in-types.ts';
import { anyObjectSchema } from './new-event.ts';

/** The form of an event type's name. Its characters need no escaping in a path, a cursor or a row's key. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;
export const isEventTypeName = (text: string): boolean => NAME.test(text);

/**
 * The maximum number of bytes of an event type's schema. A batch of a hundred events may have a hundred types:
 * checking all their schemas must fit into memory and time.
 */
const MOST_SCHEMA_BYTES = 32 * 1024;

const jsonSchema = z.record(z.string(), z.unknown()).meta({ description: 'A JSON Schema (2020-12).' });

/** An event type as the API lists it, built-in or the account's own. */
export const eventTypeViewSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    schema: jsonSchema
      .nullable()
      .meta({ description: "The schema of the events' `data`; null if none is registered." }),
    builtin: z.boolean(),
  })
  .meta({ id: 'EventType' });
export type EventTypeView = z.infer<typeof eventTypeViewSchema>;

/** The request that registers an account's own event type. */
export const newEventTypeSchema = z
  .strictObject({
    description: z.string().max(500),
    schema: anyObjectSchema
      .nullable()
      .default(null)
      .meta({ description: "A self-contained JSON Schema (2020-12) that the events' `data` must match." }),
  })
  .meta({ id: 'NewEventType' });
export type NewEventType = z.output<typeof newEventTypeSchema>;

/** An account's own event type as its row holds it; `schema` is JSON text. */
export const storedEventTypeSchema = z.object({
  v: rowVersion,
  name: z.string(),
  owner: z.string(),
  description: z.string(),
  schema: z.string().nullable().default(null),
});
export type StoredEventType = z.infer<typeof storedEventTypeSchema>;

export const showEventType = ({ name, description, schema }: StoredEventType): EventTypeView => ({
  name,
  description,
  schema: schema === null ? null : JSON.parse(schema),
  builtin: false,
});

/** A JSON Schema validator. Error paths are dotted and begin with `root`. */
export interface SchemaChecker {
  /** Checks the JSON Schema of an event type itself. Returns its faults; empty = valid. */
  faultsOfSchema(schema: unknown, root: string): Promise<readonly FieldError[]>;
  /**
   * Checks a JSON text against a schema. Returns the faults; empty = valid. Subtracts the time used from `time.leftMs`,
   * which all checks of a request share.
   */
  faultsOfValue(
    schemaJson: string,
    valueJson: string,
    root: string,
    time: { leftMs: number },
  ): Promise<readonly FieldError[]>;
}

export interface ChangingEventTypes {
  /** Writes the event type and the audit entry, in one transaction. Returns true if the type is new. */
  put(type: StoredEventType, entry: StoredAuditEntry): Promise<boolean>;
  /** Deletes the event type and adds the audit entry, in one transaction. Returns false if the type does not exist. */
  remove(owner: string, name: string, entry: StoredAuditEntry): Promise<boolean>;
}

const refuseBuiltIn = (name: string): void => {
  if (!isBuiltIn(name)) return;
  const message = `${name} is built-in and cannot be changed.`;
  throw new PassPostError('conflict', message, { errors: [{ path: 'name', code: 'built_in', message }] });
};

/** A change of one event type, with its owner and the API caller. */
interface EventTypeRequest {
  readonly owner: string;
  readonly name: string;
  readonly by: Actor;
  readonly nowMs: number;
}

/**
 * Registers or changes an account's own event type. Throws `conflict` for a built-in name, `invalid` for a malformed
 * name or a wrong schema.
 */
export const putEventType = async (
  { owner, name, body, by, nowMs }: EventTypeRequest & { readonly body: NewEventType },
  { types, checker }: { readonly types: ChangingEventTypes; readonly checker: SchemaChecker },
): Promise<{ type: StoredEventType; isNew: boolean }> => {
  refuseBuiltIn(name);
  if (!isEventTypeName(name)) {
    throw invalid('name', 'invalid_format', 'must be 1 to 100 of A–Z a–z 0–9 . _ : - and begin with a letter or digit');
  }
  const schema = body.schema && JSON.stringify(body.schema);
  if (schema !== null && Buffer.byteLength(schema) > MOST_SCHEMA_BYTES) {
    throw invalid('schema', 'too_big', `is longer than ${MOST_SCHEMA_BYTES} bytes when written out`);
  }
  const errors = body.schema ? await checker.faultsOfSchema(body.schema, 'schema') : [];
  if (errors.length > 0) {
    throw new PassPostError('invalid', `Wrong: ${errors.map(({ path }) => path).join(', ')}.`, { errors });
  }
  const type: StoredEventType = { name, owner, description: body.description, schema };
  return { type, isNew: await types.put(type, auditEntry(by, 'event_type.put', name, nowMs, fieldsOf(body))) };
};

/**
 * Deletes an account's own event type. Events and webhooks that name the type stay unchanged. Throws `not_found`, or
 * `conflict` for a built-in type.
 */
export const deleteEventType = async (
  { owner, name, by, nowMs }: EventTypeRequest,
  types: ChangingEventTypes,
): Promise<void> => {
  refuseBuiltIn(name);
  if (!(await types.remove(owner, name, auditEntry(by, 'event_type.deleted', name, nowMs))))
    throw notFound('event type');
};
