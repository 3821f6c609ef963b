/**
 * Log fields with ids, by which a call is followed to its attempts. The fields are not needed to understand the line.
 */
const idFields = new Set(['request_id', 'trace_id', 'requested_by', 'key_id', 'owner', 'ids']);
/** Log fields that are in a line only for metric filters. */
const metricFields = new Set(['service', 'events', 'deliveries', 'throttles']);

type Fields = Readonly<Record<string, unknown>>;

const without = (fields: Fields, names: ReadonlySet<string>): Fields =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !names.has(name))
      .map(([name, value]) => [name, name === 'aws' ? without(value as Fields, names) : value]),
  );

const bytesOf = (fields: Fields): number => Buffer.byteLength(JSON.stringify(fields)) + 1;

/** Returns whether a log line is in embedded metric format. Such a line has no other purpose than its metrics. */
const isMetrics = (fields: Fields): boolean => '_aws' in fields;

/**
 * Returns a log line without the fields for monitoring (metrics and ids), or null if the whole line is for monitoring.
 */
export const withoutMonitoring = (fields: Fields): Fields | null =>
  isMetrics(fields) ? null : without(without(fields, metricFields), idFields);

export interface LogBytes {
  readonly all: number;
  readonly metrics: number;
  readonly ids: number;
}

/** Returns the bytes of a function's log line: all bytes, the bytes for metrics and the bytes for ids. */
export const logBytesOf = (fields: Fields): LogBytes => {
  const all = bytesOf(fields);
  if (isMetrics(fields)) return { all, metrics: all, ids: 0 };
  const withoutMetrics = without(fields, metricFields);
  return {
    all,
    metrics: all - bytesOf(withoutMetrics),
    ids: bytesOf(withoutMetrics) - bytesOf(without(withoutMetrics, idFields)),
  };
};
