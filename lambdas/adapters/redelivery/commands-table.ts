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

/**
 * Submits commands for the fan-out, each in one transaction with its event, its job, its first answer and its audit
 * entry.
 */
export const createCommandsTable = (client: DynamoDBClient, table: string, retentionDays: number): SubmitStore => ({
  firstAnswer: (scope, path, idempotencyKey, nowMs) =>
    readFirstAnswer(client, table, { scope, path, idempotencyKey }, (answer) => answer as object, nowMs),

  async submit(owner, { command, event, job, entry }, answerToStore, nowMs) {
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
      ...(answerToStore ? [putFirstAnswer(table, { ...answerToStore, scope: owner }, answerToStore, nowMs)] : []),
      putAuditEntry(table, entry),
    ]);
    if (failed === -1) return 'submitted';
    return failed === rows.length ? 'repeated' : 'taken';
  },
});
