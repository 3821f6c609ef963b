import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Command } from '../../domain/deliveries/command.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { rowOf } from './row.ts';
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
