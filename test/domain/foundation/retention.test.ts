import { expect, test } from 'vitest';
import { retentionOf } from '../../../lambdas/domain/foundation/retention.ts';

test.each([
  ['30 days for an account without its own retention in a stack with 30 days', undefined, 30, 30],
  ['7 days for an account with its own 7 days in a stack with 30 days', 7, 30, 7],
  // This happens if the stack's retention was shortened after the account got its own retention.
  ['30 days for an account with its own 60 days in a stack with 30 days', 60, 30, 30],
])('retentionOf is %s', (_, ownDays, stackDays, days) => {
  expect(retentionOf(ownDays, stackDays)).toBe(days);
});
