/** A line that a function wrote. */
export interface LogLine {
  readonly functionName: string;
  readonly text: string;
}

/** Said at every batch and tick: of use to the bench, not to somebody who watches. */
const quiet = new Set(['batch.finished', 'records.fanned-out', 'due.swept']);
const hidden = new Set([
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

const shown = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** A function's line as a person reads it, or undefined where it would only be noise. */
export const readableLine = ({ functionName, text }: LogLine, now = new Date()): string | undefined => {
  const prefix = `${now.toTimeString().slice(0, 8)} ${functionName}`;
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return text.trim() === '' ? undefined : `${prefix} ${text}`;
  }
  const { level, name } = fields;
  if (name === undefined || (level === 'info' && quiet.has(String(name)))) return undefined;
  const rest = Object.entries(fields).filter(([key, value]) => !hidden.has(key) && value !== null);
  const mark = level === 'info' ? '' : ` ${String(level).toUpperCase()}`;
  return `${prefix}${mark} ${name} ${rest.map(([key, value]) => `${key}=${shown(value)}`).join(' ')}`;
};
