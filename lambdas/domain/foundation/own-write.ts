/**
 * Returns whether a request itself wrote the stored row. The AWS SDK retries a write whose response was lost; the retry
 * then finds the row that the first try wrote. Each row therefore names the request that wrote it last.
 */
export const isOwnWrite = (stored: { readonly written_by: string }, requestId: string): boolean =>
  stored.written_by === requestId;
