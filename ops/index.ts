import type { Command } from './command.ts';
import { deadLetters } from './dead-letters.ts';
import { failing } from './failing.ts';
import { owed } from './owed.ts';
import { pause, resume } from './pause.ts';
import { redrive } from './redrive.ts';
import { redriveFailures } from './redrive-failures.ts';
import { rotateKeyring } from './rotate-keyring.ts';
import { rotateOperatorKey } from './rotate-operator-key.ts';
import { status } from './status.ts';

/** The operator's commands by name, in the order of the overview. */
export const commands: Readonly<Record<string, Command>> = {
  status,
  'dead-letters': deadLetters,
  redrive,
  'redrive-failures': redriveFailures,
  owed,
  failing,
  pause,
  resume,
  'rotate-keyring': rotateKeyring,
  'rotate-operator-key': rotateOperatorKey,
};
