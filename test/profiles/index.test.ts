import { describe, expect, it } from 'vitest';
import { profileNames, profileOf, profiles } from '../../lambdas/profiles/index.ts';

describe('the registry of profiles', () => {
  it('finds each profile by its name', () => {
    for (const name of profileNames) expect(profileOf(name).name).toBe(name);
    expect(profileNames).toEqual(expect.arrayContaining(['passpost', 'standard']));
  });

  it.each(['constructor', '__proto__', 'toString', 'no-such'])('has no profile called %s', (name) => {
    expect(profiles[name]).toBeUndefined();
    expect(() => profileOf(name)).toThrow(name);
  });
});
