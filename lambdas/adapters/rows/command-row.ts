import type { Command } from '../../domain/deliveries/command.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { commandKey } from './table-keys.ts';

/**
 * Days that a command's row is stored. After the stream has carried the row to the fan-out, the row only shows that the
 * command was submitted.
 */
const LIFE_DAYS = 2;

export const commandToRow = (command: Command, nowMs: number) => ({
  ...commandKey(command.owner, command.id),
  kind: 'command',
  ...command,
  ttl: ttlSeconds(nowMs, LIFE_DAYS),
});
