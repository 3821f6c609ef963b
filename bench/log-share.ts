/** Fields by which one id is followed from a call to its attempts; a line says what it is about without them. */
const followed = new Set(['request_id', 'trace_id', 'requested_by', 'key_id', 'owner', 'ids']);
/** Fields that are in a line only to be counted. */
const counted = new Set(['service', 'events', 'deliveries', 'throttles']);

type Fields = Readonly<Record<string, unknown>>;

const without = (fields: Fields, names: ReadonlySet<string>): Fields =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !names.has(name))
      .map(([name, value]) => [name, name === 'aws' ? without(value as Fields, names) : value]),
  );

const bytesOf = (fields: Fields): number => Buffer.byteLength(JSON.stringify(fields)) + 1;

/** A line in embedded metric format is there for its metrics alone. */
const isMetrics = (fields: Fields): boolean => '_aws' in fields;

/** A line without what monitoring added to it, or null where that is the whole line. */
export const withoutMonitoring = (fields: Fields): Fields | null =>
  isMetrics(fields) ? null : without(without(fields, counted), followed);

export interface LogBytes {
  readonly all: number;
  readonly metrics: number;
  readonly ids: number;
}

/** Bytes of a function's line, and which of them are there for metrics and for ids. */
export const logBytesOf = (fields: Fields): LogBytes => {
  const all = bytesOf(fields);
  if (isMetrics(fields)) return { all, metrics: all, ids: 0 };
  const uncounted = without(fields, counted);
  return {
    all,
    metrics: all - bytesOf(uncounted),
    ids: bytesOf(uncounted) - bytesOf(without(uncounted, followed)),
  };
};
