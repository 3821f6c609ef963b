import type { InvocationResult } from './execution-environment.ts';

/**
 * The ids of the records that failed, or null if the whole batch failed: the function threw, or it returned an id that was
 * not in the batch. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
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
