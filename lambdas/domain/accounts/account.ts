import * as z from 'zod';
import { invalid } from '../foundation/errors.ts';
import { retentionOf } from '../foundation/retention.ts';
import { rowVersion } from '../foundation/row-version.ts';
import { nameSchema } from './api-key.ts';

export const rateLimitSchema = z
  .int()
  .min(1)
  .max(30_000)
  .meta({ description: 'Requests a minute for each API key of the account.' });

/** How many times the limit of one API key is the account's ceiling, unless the account has its own. */
const CEILING_IN_KEYS = 10;

export const ceilingSchema = z.int().min(1).max(300_000).meta({
  description:
    'Requests a minute of all API keys of the account together. Ten times `rate_limit_per_minute` until it is set.',
});

/** The maximum number of attempts of an account's deliveries in a minute, unless the operator sets another. */
export const DELIVERIES_PER_MINUTE = 6000;

export const deliveriesPerMinuteSchema = z.int().min(1).max(600_000).meta({
  description:
    "Attempts a minute of all the account's deliveries together. Deliveries above it wait for a later minute, in the order in which they came.",
});

export const retentionDaysSchema = z.int().min(1).max(365).meta({
  description:
    "Days for which the account's events, deliveries and attempts can be read: at most the deployment's own.",
});

export const taskRetentionDaysSchema = z.int().min(1).max(3650).nullable().meta({
  description:
    'Days after which a settled task (`completed` or `cancelled`) is removed; null = never. A change applies to tasks that are settled later.',
});

/** An account (a business) as the operator's API shows it. */
export const accountSchema = z
  .object({
    id: z.string(),
    name: nameSchema,
    rate_limit_per_minute: rateLimitSchema,
    requests_per_minute: ceilingSchema,
    deliveries_per_minute: deliveriesPerMinuteSchema,
    retention_days: retentionDaysSchema,
    task_retention_days: taskRetentionDaysSchema,
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Account' });
export type Account = z.infer<typeof accountSchema>;

/**
 * An account as its row holds it. Without its own `retention_days` the stack's current retention applies, without its own
 * `requests_per_minute` a multiple of `rate_limit_per_minute`, and without its own `deliveries_per_minute` the default.
 */
export const storedAccountSchema = accountSchema.extend({
  v: rowVersion,
  requests_per_minute: z.number().optional(),
  deliveries_per_minute: z.number().optional(),
  retention_days: z.number().optional(),
  task_retention_days: z.number().optional(),
  /**
   * The account is being deleted and gets no new API keys until this time, in milliseconds. The time passes without
   * effect if the deletion failed.
   */
  deleting_until: z.number().optional(),
});
export type StoredAccount = z.infer<typeof storedAccountSchema>;

/** Returns the account's ceiling: the maximum number of requests of all its API keys in a minute. */
const ceilingOf = ({ requests_per_minute, rate_limit_per_minute }: StoredAccount): number =>
  requests_per_minute ?? CEILING_IN_KEYS * rate_limit_per_minute;

export const showAccount = (account: StoredAccount, stackRetentionDays: number): Account => ({
  id: account.id,
  name: account.name,
  rate_limit_per_minute: account.rate_limit_per_minute,
  requests_per_minute: ceilingOf(account),
  deliveries_per_minute: account.deliveries_per_minute ?? DELIVERIES_PER_MINUTE,
  retention_days: retentionOf(account.retention_days, stackRetentionDays),
  task_retention_days: account.task_retention_days ?? null,
  created_at: account.created_at,
});

/**
 * Settings of an account that the row of each of its API keys repeats, because authentication reads only the key's row.
 */
export interface KeySettings {
  readonly limit: number;
  readonly requests_per_minute: number;
  readonly retention_days?: number | undefined;
  /** Absent if the account stores settled tasks for ever. */
  readonly task_retention_days?: number | undefined;
}

export const keySettingsOf = (account: StoredAccount): KeySettings => ({
  limit: account.rate_limit_per_minute,
  requests_per_minute: ceilingOf(account),
  retention_days: account.retention_days,
  task_retention_days: account.task_retention_days,
});

/** Returns whether this number of API keys could together pass the account's ceiling. */
export const couldPassCeiling = (keys: number, { limit, requests_per_minute }: KeySettings): boolean =>
  keys * limit > requests_per_minute;

/** Throws `invalid` if an account's own retention days exceed the stack's retention. */
export const checkRetention = (days: number | undefined, stackRetentionDays: number): void => {
  if (days === undefined || days <= stackRetentionDays) return;
  throw invalid('retention_days', 'too_big', `must be 1 to ${stackRetentionDays}, the retention of this deployment`);
};
