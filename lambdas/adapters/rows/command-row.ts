import type { Command } from '../../domain/deliveries/command.ts';
import { commandKey } from './table-keys.ts';

/** Once the stream has carried it, a command's row tells only that it was given. */
const LIFE_SECONDS = 2 * 86_400;

export const commandToRow = (command: Command, nowMs: number) => ({
  ...commandKey(command.owner, command.id),
  kind: 'command',
  ...command,
  ttl: Math.ceil(nowMs / 1000) + LIFE_SECONDS,
});
