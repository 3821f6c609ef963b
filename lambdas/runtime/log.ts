/**
 * Writes one JSON line. `name` is `noun.past-verb`. No field may hold a secret, a signature, a query string or a body.
 */
export const log = (
  level: 'info' | 'warn' | 'error',
  name: string,
  fields: Readonly<Record<string, unknown>>,
): void => {
  process.stdout.write(`${JSON.stringify({ level, name, ...fields })}\n`);
};

/**
 * Returns kind, message and stack of an error and of its causes, for a log line. Only for errors whose messages hold no
 * secrets.
 */
export const describeError = (error: unknown): Record<string, unknown> => {
  if (!(error instanceof Error)) return { kind: typeof error };
  const { name, message, stack, cause } = error;
  return { kind: name, message, stack, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
};

/** Returns kind and stack of an error without its message, which may quote secret values. */
export const kindOf = (error: unknown): { kind: string; at: string } => {
  if (!(error instanceof Error)) return { kind: typeof error, at: '' };
  const [, ...frames] = (error.stack ?? '').replaceAll(error.message, '').split('\n');
  return { kind: error.name, at: frames.join('\n') };
};
