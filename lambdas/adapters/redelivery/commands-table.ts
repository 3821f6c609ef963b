import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { SubmitStore } from '../../domain/redelivery/submit-once.ts';
import { putFirstAnswer, readFirstAnswer } from '../aws/first-answers.ts';
import { transact } from '../aws/transact.ts';
import { putAuditEntry } from '../rows/audit-row.ts';
import { commandToRow } from '../rows/command-row.ts';
import { eventToRow } from '../rows/event-row.ts';
import { jobToRow } from '../rows/job-row.ts';
import { rowOf } from '../rows/row.ts';

/** What the API asks of the fan-out. */
export const createCommandsTable = (client: DynamoDBClient, table: string, retentionDays: number): SubmitStore => ({
  firstAnswer: (scope, path, idempotencyKey, nowMs) =>
    readFirstAnswer(client, table, { scope, path, idempotencyKey }, (answer) => answer as object, nowMs),

  async submit(owner, { command, event, job, entry }, left, nowMs) {
    const rows = [
      ...(event ? [eventToRow(event, retentionDays)] : []),
      ...(job ? [jobToRow(job, retentionDays)] : []),
      ...(command ? [commandToRow(command, nowMs)] : []),
    ];
    const failed = await transact(client, [
      ...rows.map((row) => ({
        Put: {
          TableName: table,
          Item: marshall(rowOf(row), { removeUndefinedValues: true }),
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      })),
      ...(left ? [putFirstAnswer(table, { ...left, scope: owner }, left, nowMs)] : []),
      putAuditEntry(table, entry),
    ]);
    if (failed === -1) return 'submitted';
    return failed === rows.length ? 'repeated' : 'taken';
  },
});
