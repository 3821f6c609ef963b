import * as z from 'zod';

/**
 * The version of a row's shape. A row without one is of the first, which is all that is written so far; a row of a
 * version that this release does not know is refused, which is a failure of ours, before anything is made of it.
 * How a shape changes: CONTRIBUTING.md, “What outlives a release”.
 */
export const rowVersion = z.literal(1).optional();
