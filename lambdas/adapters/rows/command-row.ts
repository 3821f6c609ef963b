import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Command } from '../../domain/deliveries/command.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { rowOf } from './row.ts';
import { commandKey } from './table-keys.ts';

/**
 * Days that a command's row is stored. The fan-out adds `done_at` when it has carried the command out; the roll-up submits
 * a command without `done_at` again.
 */
const LIFE_DAYS = 2;

export const commandToRow = (command: Command, nowMs: number) => ({
  ...commandKey(command.owner, command.id),
  kind: 'command',
  ...command,
  // The command of a next step is made from the command of the step before, which may have been submitted again.
  resubmitted_at: null,
  submitted_at: nowMs,
  ttl: ttlSeconds(nowMs, LIFE_DAYS),
});

/**
 * Returns the transaction item that submits a command together with the change that needs it. A command with the same id
 * that was submitted in the last two days is not carried out a second time.
 */
export const putCommand = (domainTable: string, command: Command, nowMs: number): TransactWriteItem => ({
  Put: {
    TableName: domainTable,
    Item: marshall(rowOf(commandToRow(command, nowMs)), { removeUndefinedValues: true }),
  },
});
