import { describe, expect, it } from 'vitest';
import { profileNames, profileOf, profiles } from '../../lambdas/profiles/index.ts';

describe('the registry of profiles', () => {
  it('profileOf returns the profile of each name in profileNames, and passpost and standard are among these names', () => {
    for (const name of profileNames) expect(profileOf(name).name).toBe(name);
    expect(profileNames).toEqual(expect.arrayContaining(['passpost', 'standard']));
  });

  it.each(['constructor', '__proto__', 'toString', 'no-such'])(
    'has no profile with the name %s: the lookup gives undefined, and profileOf throws an error with this name',
    (name) => {
      expect(profiles[name]).toBeUndefined();
      expect(() => profileOf(name)).toThrow(name);
    },
  );
});
