import { expect, test } from 'vitest';
import { retentionOf } from '../../../lambdas/domain/foundation/retention.ts';

test.each([
  [undefined, 30, 30],
  [7, 30, 7],
  // The stack keeps less than it did when the account was given its own.
  [60, 30, 30],
])('an account with %s days in a stack with %i keeps %i', (own, stack, kept) => {
  expect(retentionOf(own, stack)).toBe(kept);
});
