import * as z from 'zod';

/**
 * The version of the shape of a stored row. A row without a version has the first shape, the only one written so far. A
 * row of an unknown version is rejected before it is used, as our own failure. How a shape changes: CONTRIBUTING.md,
 * “What outlives a release”.
 */
export const rowVersion = z.literal(1).optional();
