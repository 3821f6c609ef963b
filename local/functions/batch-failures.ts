import type { InvocationResult } from './execution-environment.ts';

/**
 * Returns the ids of a batch's failed records, or null if the whole batch failed: the function threw, or its
 * `batchItemFailures` is not a list of ids from the batch.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export const failedIds = (
  result: InvocationResult,
  sent: ReadonlySet<string>,
  reportsFailures: boolean,
): ReadonlySet<string> | null => {
  if (!result.ok) return null;
  if (!reportsFailures) return new Set();
  const { batchItemFailures } = (result.payload ?? {}) as { batchItemFailures?: unknown };
  if (batchItemFailures === undefined || batchItemFailures === null) return new Set();
  if (!Array.isArray(batchItemFailures)) return null;
  const ids = batchItemFailures.map((failure) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier);
  return ids.every((id) => typeof id === 'string' && sent.has(id)) ? new Set(ids as string[]) : null;
};
