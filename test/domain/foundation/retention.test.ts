import { expect, test } from 'vitest';
import { retentionOf } from '../../../lambdas/domain/foundation/retention.ts';

test.each([
  ['30 days if the stack has a retention of 30 days and the account has none', undefined, 30, 30],
  ['7 days if the stack has a retention of 30 days and the account has 7 days', 7, 30, 7],
  // This happens if the stack's retention was shortened after the account got its own retention.
  ['30 days, the smaller number, if the stack has a retention of 30 days and the account has 60 days', 60, 30, 30],
])('retentionOf returns %s', (_, ownDays, stackDays, days) => {
  expect(retentionOf(ownDays, stackDays)).toBe(days);
});
