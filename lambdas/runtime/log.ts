/** One JSON line. `name` is `noun.past-verb`; never a secret, a signature, a query string or a body among the fields. */
export const log = (
  level: 'info' | 'warn' | 'error',
  name: string,
  fields: Readonly<Record<string, unknown>>,
): void => {
  process.stdout.write(`${JSON.stringify({ level, name, ...fields })}\n`);
};

/** What may be told of our own failure: its kind and where, with the causes behind it. */
export const describeError = (error: unknown): Record<string, unknown> => {
  if (!(error instanceof Error)) return { kind: typeof error };
  const { name, message, stack, cause } = error;
  return { kind: name, message, stack, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
};

/** What an error may be known by where it may hold key values: a message can quote what it complains of. */
export const kindOf = (error: unknown): { kind: string; at: string } => {
  if (!(error instanceof Error)) return { kind: typeof error, at: '' };
  const [, ...frames] = (error.stack ?? '').replaceAll(error.message, '').split('\n');
  return { kind: error.name, at: frames.join('\n') };
};
