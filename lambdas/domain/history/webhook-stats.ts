import * as z from 'zod';
import { invalid, notFound } from '../foundation/errors.ts';
import { instantSchema } from '../foundation/page.ts';
import type { HourReader } from '../maintenance/count-hour.ts';
import { type Hour, hourAt, hoursBefore } from '../maintenance/hour.ts';
import { createHourCount, percentileMs } from '../maintenance/hour-counts.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';

/** The maximum number of hours whose counts one call returns for a webhook: 31 days. */
const MOST_HOURS = 744;
const DEFAULT_HOURS = 24;
/**
 * Limits of live counting: hours without final counts are counted from their deliveries for each answer, newest first,
 * at most `MAX_LIVE_HOURS` hours and about `MAX_LIVE_DELIVERIES` deliveries.
 */
const MAX_LIVE_HOURS = 48;
const MAX_LIVE_DELIVERIES = 1000;

export const statsQuerySchema = z.strictObject({
  since: instantSchema.optional().meta({ description: '24 hours before `until` by default; at most 31 days.' }),
  until: instantSchema.optional().meta({ description: 'Now by default.' }),
});

export const webhookStatsSchema = z
  .object({
    as_of: z.iso.datetime().meta({ description: 'All numbers are of this time or later.' }),
    hours: z.array(
      z.object({
        hour: z.iso.datetime().meta({ description: 'Start of the hour.' }),
        delivered: z.number().meta({ description: 'Number of deliveries with the status `delivered`.' }),
        refused: z.number().meta({ description: 'Number of attempts that did not succeed.' }),
        dead: z.number().meta({ description: 'Number of deliveries with the status `dead`.' }),
        p50_ms: z.number().nullable(),
        p95_ms: z.number().nullable(),
      }),
    ),
    success_rate: z
      .number()
      .nullable()
      .meta({ description: 'Share of delivered among delivered and dead deliveries, from 0 to 1; null without any.' }),
    last_success_at: z.iso.datetime().nullable(),
    last_failure_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'WebhookStats' });
export type WebhookStats = z.output<typeof webhookStatsSchema>;

/** The counts of one webhook's hour, as the hour's row stores them. Times are milliseconds since the epoch. */
export const countedHourSchema = z.object({
  deliveries: z.number(),
  delivered: z.number(),
  refused: z.number(),
  dead: z.number(),
  p50_ms: z.number().nullable().default(null),
  p95_ms: z.number().nullable().default(null),
  last_success_at: z.number().nullable().default(null),
  last_failure_at: z.number().nullable().default(null),
  counted_at: z.number(),
});
export type CountedHour = z.output<typeof countedHourSchema>;

/** An hour of a webhook that has a row. `counted` is null if a count of the hour was requested but not made yet. */
export interface KnownHour {
  readonly startMs: number;
  readonly counted: CountedHour | null;
  /** True if the hour will not be counted again. */
  readonly isFinal: boolean;
}

export interface StatsDependencies {
  readonly webhooks: { findAny(owner: string, id: string): Promise<StoredWebhook | null> };
  readonly hours: HourReader & {
    /** Returns the hours with a row that start in the range (milliseconds, the end exclusive). */
    between(webhookId: string, fromMs: number, untilMs: number): Promise<readonly KnownHour[]>;
    /**
     * Returns the start of the first hour that the roll-up has not counted yet. An earlier hour without a row had no
     * deliveries. `null` = no hour was counted yet.
     */
    readUntilMs(): Promise<number | null>;
  };
  readonly speed: number;
}

export interface StatsRequest {
  readonly owner: string;
  readonly id: string;
  /** Start of the time range whose hourly counts are requested, included, in milliseconds since the epoch. */
  readonly since: number | undefined;
  /** End of the time range whose hourly counts are requested, excluded, in milliseconds since the epoch. */
  readonly until: number | undefined;
  readonly nowMs: number;
}

/**
 * Returns the counts of a webhook's deliveries hour by hour, by the time of the deliveries' creation. Throws
 * `not_found`, or `invalid` for a wrong range.
 */
export const webhookStats = async (
  request: StatsRequest,
  { webhooks, hours, speed }: StatsDependencies,
): Promise<WebhookStats> => {
  const { owner, id } = request;
  const range = hourRange(request, speed);
  const webhook = await webhooks.findAny(owner, id);
  if (webhook?.deleted_at !== null) throw notFound('webhook');
  const [known, readUntilMs] = await Promise.all([
    hours.between(id, range.first.startMs, range.untilMs),
    hours.readUntilMs(),
  ]);
  return toStats(await withLiveCounts(request, range, known, readUntilMs, hours, speed));
};

interface HourRange {
  readonly first: Hour;
  readonly newest: Hour;
  readonly untilMs: number;
}

const hourRange = ({ since, until, nowMs }: StatsRequest, speed: number): HourRange => {
  const untilMs = until ?? nowMs;
  const sinceMs = since ?? hoursBefore(untilMs, DEFAULT_HOURS, speed).endMs;
  if (sinceMs >= untilMs) throw invalid('until', 'invalid', 'must be later than `since`');
  const first = hourAt(Math.max(0, sinceMs), speed);
  if (untilMs - first.startMs > MOST_HOURS * (first.endMs - first.startMs)) {
    throw invalid('since', 'too_big', `must be at most ${MOST_HOURS} hours before \`until\``);
  }
  return { first, newest: hourAt(Math.min(untilMs - 1, nowMs), speed), untilMs };
};

interface Counts {
  /** The counts of each hour by the hour's start, in milliseconds. */
  readonly byHour: ReadonlyMap<number, CountedHour>;
  /** All hourly counts that this call made from delivery rows, also those that `byHour` does not use. */
  readonly live: readonly CountedHour[];
  readonly asOfMs: number;
}

/**
 * Returns the stored counts and, newest hour first, live counts of the hours whose stored counts are missing or not
 * final.
 */
const withLiveCounts = async (
  { id, nowMs }: StatsRequest,
  { first, newest }: HourRange,
  known: readonly KnownHour[],
  readUntilMs: number | null,
  hours: HourReader,
  speed: number,
): Promise<Counts> => {
  const byHour = new Map(known.flatMap((hour) => (hour.counted ? [[hour.startMs, hour.counted]] : [])));
  const isFinal = new Map(known.map((hour) => [hour.startMs, hour.isFinal]));
  const live: CountedHour[] = [];
  let asOfMs = nowMs;
  let left = MAX_LIVE_DELIVERIES;
  const lengthMs = first.endMs - first.startMs;
  for (let { startMs } = newest; startMs >= first.startMs; startMs -= lengthMs) {
    // An hour without a row has no deliveries if the roll-up has read the hour.
    if (isFinal.get(startMs) ?? startMs < (readUntilMs ?? 0)) continue;
    if (left > 0 && live.length < MAX_LIVE_HOURS) {
      const { counted, isWhole, deliveries } = await countLive(id, hourAt(startMs, speed), nowMs, left, hours);
      left -= deliveries;
      live.push(counted);
      // A live count lower than the stored count is not used: the missing deliveries have expired.
      if (isWhole && deliveries > 0 && deliveries >= (byHour.get(startMs)?.deliveries ?? 0))
        byHour.set(startMs, counted);
      if (isWhole) continue;
    }
    asOfMs = Math.min(asOfMs, byHour.get(startMs)?.counted_at ?? startMs);
  }
  return { byHour, live, asOfMs };
};

interface LiveCount {
  readonly counted: CountedHour;
  /** True if all deliveries of the hour were read and counted. False if the hour has more deliveries. */
  readonly isWhole: boolean;
  /** Number of deliveries that were read. */
  readonly deliveries: number;
}

/**
 * Counts a webhook's hour from its delivery rows, page by page, until the hour ends or `atMost` deliveries were read.
 */
const countLive = async (
  webhookId: string,
  hour: Hour,
  nowMs: number,
  atMost: number,
  hours: HourReader,
): Promise<LiveCount> => {
  const count = createHourCount();
  let deliveries = 0;
  let cursor: Parameters<HourReader['read']>[2] = null;
  do {
    const { found, next } = await hours.read(webhookId, hour, cursor);
    for (const { delivery } of found) count.add(delivery);
    deliveries += found.length;
    cursor = next;
  } while (cursor !== null && deliveries < atMost);
  const counts = count.counts();
  const percentiles = { p50_ms: percentileMs(counts, 0.5), p95_ms: percentileMs(counts, 0.95) };
  return { counted: { ...counts, ...percentiles, counted_at: nowMs }, isWhole: cursor === null, deliveries };
};

const latest = (times: readonly (number | null)[]): string | null => {
  const known = times.filter((time) => time !== null);
  return known.length > 0 ? new Date(Math.max(...known)).toISOString() : null;
};

const toStats = ({ byHour, live, asOfMs }: Counts): WebhookStats => {
  const shown = [...byHour].toSorted(([a], [b]) => a - b);
  const sum = (name: 'delivered' | 'dead'): number => shown.reduce((total, [, hour]) => total + hour[name], 0);
  const settled = sum('delivered') + sum('dead');
  const all = [...shown.map(([, hour]) => hour), ...live];
  return {
    as_of: new Date(asOfMs).toISOString(),
    hours: shown.map(([startMs, { delivered, refused, dead, p50_ms, p95_ms }]) => ({
      hour: new Date(startMs).toISOString(),
      ...{ delivered, refused, dead, p50_ms, p95_ms },
    })),
    success_rate: settled === 0 ? null : Math.round((sum('delivered') / settled) * 10_000) / 10_000,
    last_success_at: latest(all.map(({ last_success_at }) => last_success_at)),
    last_failure_at: latest(all.map(({ last_failure_at }) => last_failure_at)),
  };
};
