import { describe, expect, it } from 'vitest';
import { taskContentSchema } from '../../../lambdas/domain/tasks/task.ts';

const place = { city: 'Oslo', address: 'A 1' };
const content = { item: 'Keys', pickup: place, dropoff: place };

describe("a task's content", () => {
  it.each([
    [0, true],
    [250, true],
    [-1, false],
    [12.5, false],
    ['250', false],
  ])('PP reading 10: accepts only whole, non-negative kroner as a reward: %j', (reward_nok, isAccepted) => {
    expect(taskContentSchema.safeParse({ ...content, reward_nok }).success).toBe(isAccepted);
  });

  it.each([
    ['size', 'huge'],
    ['urgency', 'now'],
  ])('PP reading 8: rejects an unknown %s: %s', (field, value) => {
    expect(taskContentSchema.safeParse({ ...content, [field]: value }).success).toBe(false);
  });

  it('PP reading 7: may have the same external reference as another task', () => {
    expect(taskContentSchema.parse({ ...content, external_reference: 'RES-1' }).external_reference).toBe('RES-1');
  });
});
