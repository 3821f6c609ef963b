/** One line of a function's output. */
export interface LogLine {
  readonly functionName: string;
  readonly text: string;
}

/**
 * Names of the log events of every batch and every tick. `npm start` prints them only as warnings or errors; the
 * benchmarks read them.
 */
const hiddenEvents = new Set(['batch.finished', 'records.fanned-out', 'due.swept']);
const hiddenFields = new Set([
  'level',
  'name',
  '_aws',
  'service',
  'aws',
  'calls',
  'units',
  'request_id',
  'key_id',
  'owner',
  'event_id',
  'webhook_id',
]);

const formatValue = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** Returns a function's log line in a short form for people, or undefined if the line is not printed. */
export const readableLine = ({ functionName, text }: LogLine, now = new Date()): string | undefined => {
  const prefix = `${now.toTimeString().slice(0, 8)} ${functionName}`;
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return text.trim() === '' ? undefined : `${prefix} ${text}`;
  }
  const { level, name } = fields;
  if (name === undefined || (level === 'info' && hiddenEvents.has(String(name)))) return undefined;
  const shownFields = Object.entries(fields).filter(([key, value]) => !hiddenFields.has(key) && value !== null);
  const mark = level === 'info' ? '' : ` ${String(level).toUpperCase()}`;
  return `${prefix}${mark} ${name} ${shownFields.map(([key, value]) => `${key}=${formatValue(value)}`).join(' ')}`;
};
