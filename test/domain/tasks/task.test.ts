import { describe, expect, it } from 'vitest';
import { taskContentSchema } from '../../../lambdas/domain/tasks/task.ts';

const place = { city: 'Oslo', address: 'A 1' };
const content = { item: 'Keys', pickup: place, dropoff: place };

describe('the content of a task (taskContentSchema)', () => {
  it.each([
    ['accepts', 0, true],
    ['accepts', 250, true],
    ['rejects', -1, false],
    ['rejects', 12.5, false],
    ['rejects', '250', false],
  ])('PP reading 10: the reward must be whole kroner and not negative: %s %j', (_verb, reward_nok, isAccepted) => {
    expect(taskContentSchema.safeParse({ ...content, reward_nok }).success).toBe(isAccepted);
  });

  it.each([
    ['size', 'huge'],
    ['urgency', 'now'],
  ])('PP reading 8: rejects a value for %s that is not in its list: %s', (field, value) => {
    expect(taskContentSchema.safeParse({ ...content, [field]: value }).success).toBe(false);
  });

  it('PP reading 7: accepts an external reference without knowing the references of other tasks', () => {
    expect(taskContentSchema.parse({ ...content, external_reference: 'RES-1' }).external_reference).toBe('RES-1');
  });
});
