import { expect, test } from 'vitest';
import { retentionOf } from '../../../lambdas/domain/foundation/retention.ts';

test.each([
  [undefined, 30, 30],
  [7, 30, 7],
  // The stack's retention was shortened after the account got its own.
  [60, 30, 30],
])('an account with %s days in a stack with %i days has a retention of %i days', (ownDays, stackDays, days) => {
  expect(retentionOf(ownDays, stackDays)).toBe(days);
});
