import * as z from 'zod';
import { type RecoveryWindow, recoverableStatuses } from '../deliveries/recovery-window.ts';
import { auditEntry } from '../foundation/audit.ts';
import { invalid, notFound } from '../foundation/errors.ts';
import { drawId } from '../foundation/id.ts';
import { instantSchema } from '../foundation/page.ts';
import { type Job, RECOVER, type StoredJob, showJob } from '../jobs/job.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';
import { type SubmitRequest, type SubmitStore, submitOnce } from './submit-once.ts';

export const recoverSchema = z
  .strictObject({
    since: instantSchema,
    until: instantSchema,
    status: z
      .array(z.enum(recoverableStatuses))
      .min(1)
      .default(['dead', 'failed'])
      .meta({ description: 'The statuses to redeliver; `pending` selects only overdue deliveries.' }),
    dry_run: z.boolean().default(false).meta({ description: 'Only counts the deliveries.' }),
  })
  .meta({ id: 'Recovery' });
export type Recovery = z.output<typeof recoverSchema>;

export const recoverCountSchema = z.object({ count: z.number() }).meta({ id: 'RecoveryCount' });

export interface RecoverDependencies {
  readonly webhooks: { findAny(owner: string, id: string): Promise<StoredWebhook | null> };
  readonly countRecoverable: (window: RecoveryWindow, nowMs: number) => Promise<number>;
  readonly commands: SubmitStore;
}

/**
 * Requests the redelivery of a webhook's deliveries in a time window, each with its full schedule. Returns the job that
 * shows the progress, or only the count for a dry run. Throws `not_found` or `invalid`.
 */
export const recoverDeliveries = (
  request: SubmitRequest & {
    readonly id: string;
    readonly recovery: Recovery;
    readonly retentionDays: number | undefined;
  },
  { webhooks, countRecoverable, commands }: RecoverDependencies,
): Promise<{ readonly answer: Job | { readonly count: number }; readonly isRepeat: boolean }> =>
  submitOnce<Job | { readonly count: number }>(request, commands, async () => {
    const { owner, id, nowMs, requestId, retentionDays } = request;
    const { since, until, dry_run } = request.recovery;
    const status = [...new Set(request.recovery.status)];
    if (since >= until) throw invalid('until', 'invalid', 'must be later than `since`');
    const webhook = await webhooks.findAny(owner, id);
    if (webhook?.deleted_at !== null) throw notFound('webhook');
    const count = await countRecoverable({ webhookId: id, since, until, status }, nowMs);
    if (dry_run) return { answer: { count }, submission: null };

    const window = { since: new Date(since).toISOString(), until: new Date(until).toISOString() };
    const job: StoredJob = {
      id: drawId('job', nowMs),
      owner,
      type: RECOVER,
      status: 'running',
      result_to: 'caller',
      input: JSON.stringify({ webhook_id: id, ...window, status }),
      meta: null,
      data: null,
      progress: { done: 0, total: count },
      version: 1,
      created_at: new Date(nowMs).toISOString(),
      completed_at: null,
      content_hash: null,
      retention_days: retentionDays,
      written_by: requestId,
    };
    const command = {
      id: `recover#${job.id}#1`,
      owner,
      type: RECOVER,
      webhook_id: id,
      job_id: job.id,
      since,
      until,
      status,
      step: 1,
      list: 0,
      after: null,
      done: 0,
    } as const;
    const entry = auditEntry(request.by, 'webhook.recovery_started', id, nowMs);
    return { answer: showJob(job), submission: { job, command, entry } };
  });
