import { ZodError } from 'zod';

/** The error of a write that DynamoDB refuses however often it is repeated, for example because a row is too large. */
export class RefusedWrite extends Error {
  /** DynamoDB's error code, for example `ValidationError`. */
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Names of the SDK's errors for calls that are refused however often they are repeated. */
const REFUSALS: ReadonlySet<string> = new Set(['ValidationException', 'ItemCollectionSizeLimitExceededException']);

/** Codes of the same refusals for one statement or one item of a transaction. */
const ITEM_REFUSALS: ReadonlySet<string> = new Set(['ValidationError', 'ItemCollectionSizeLimitExceeded']);

/** Returns the error of a statement or of an item that DynamoDB refused with this code. */
export const refusedItem = (code: string, message: string, options?: ErrorOptions): Error =>
  ITEM_REFUSALS.has(code) ? new RefusedWrite(code, message, options) : new Error(message, options);

/**
 * Returns the code of an error that a repetition of the same work cannot avoid: DynamoDB refuses a write, or this release
 * cannot read a row. Returns null for every other error, for example a throttle, a timeout or a missing permission.
 */
export const refusalCodeOf = (error: unknown): string | null => {
  if (error instanceof RefusedWrite) return error.code;
  if (error instanceof ZodError) return 'UnreadableRow';
  return error instanceof Error && REFUSALS.has(error.name) ? error.name : null;
};
