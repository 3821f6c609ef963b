import type { Profile } from '../domain/deliveries/profile.ts';
import { inpost } from './inpost.ts';
import { passcreator } from './passcreator.ts';
import { passmint } from './passmint.ts';
import { passpost } from './passpost.ts';
import { postmen } from './postmen.ts';
import { standard } from './standard.ts';

const known: readonly Profile[] = [passpost, postmen, passmint, passcreator, inpost, standard];

/** Every profile by its name. The object has no prototype, so `constructor` is not found as a profile. */
export const profiles: Readonly<Record<string, Profile>> = Object.assign(
  Object.create(null) as Record<string, Profile>,
  Object.fromEntries(known.map((profile) => [profile.name, profile])),
);

/** Returns the profile of a stored webhook by the profile's name. Throws if there is no such profile. */
export const profileOf = (name: string): Profile => {
  const profile = profiles[name];
  if (profile === undefined) throw new Error(`no profile is called ${name}`);
  return profile;
};

export const profileNames: readonly string[] = Object.keys(profiles);
