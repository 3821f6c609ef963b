import * as z from 'zod';
import { invalid, notFound } from '../foundation/errors.ts';
import { instantSchema } from '../foundation/page.ts';
import type { HourReader } from '../maintenance/count-hour.ts';
import { type Hour, hourAt, hoursBefore } from '../maintenance/hour.ts';
import { createHourCount, percentileMs } from '../maintenance/hour-counts.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';

/** Hours in one answer: 31 days. */
export const MOST_HOURS = 744;
const DEFAULT_HOURS = 24;
/** What is not counted for good yet is read as it is, newest first, so many hours and about so many deliveries. */
const LIVE_HOURS = 48;
const LOOK_AT_MOST = 1000;

export const statsQuerySchema = z.strictObject({
  since: instantSchema.optional().meta({ description: '24 hours before `until` by default; at most 31 days.' }),
  until: instantSchema.optional().meta({ description: 'Now by default.' }),
});

export const webhookStatsSchema = z
  .object({
    as_of: z.iso.datetime().meta({ description: 'All that is shown stood so then, or later.' }),
    hours: z.array(
      z.object({
        hour: z.iso.datetime().meta({ description: 'Its start.' }),
        delivered: z.number().meta({ description: 'Deliveries.' }),
        refused: z.number().meta({ description: 'Attempts that were no success.' }),
        dead: z.number().meta({ description: 'Deliveries that were given up.' }),
        p50_ms: z.number().nullable(),
        p95_ms: z.number().nullable(),
      }),
    ),
    success_rate: z
      .number()
      .nullable()
      .meta({ description: 'Of the deliveries that were delivered or given up, from 0 to 1; null where none was.' }),
    last_success_at: z.iso.datetime().nullable(),
    last_failure_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'WebhookStats' });
export type WebhookStats = z.output<typeof webhookStatsSchema>;

/** What an hour's row says; times are milliseconds. */
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

/** An hour that was read; `counted` is null where it was only asked for. */
export interface KnownHour {
  readonly startMs: number;
  readonly counted: CountedHour | null;
  /** It will not be read again. */
  readonly isFinal: boolean;
}

export interface StatsDependencies {
  readonly webhooks: { findAny(owner: string, id: string): Promise<StoredWebhook | null> };
  readonly hours: HourReader & {
    /** Of those that start in the range, those that have a row. */
    between(webhookId: string, fromMs: number, untilMs: number): Promise<readonly KnownHour[]>;
    /** Everything before has been read: an hour without a row had no deliveries. `null`: nothing has. */
    readUntilMs(): Promise<number | null>;
  };
  readonly speed: number;
}

interface Live {
  readonly counted: CountedHour;
  readonly isWhole: boolean;
  readonly looked: number;
}

const readLive = async (
  webhookId: string,
  hour: Hour,
  nowMs: number,
  atMost: number,
  hours: HourReader,
): Promise<Live> => {
  const count = createHourCount();
  let looked = 0;
  let cursor: Parameters<HourReader['read']>[2] = null;
  do {
    const { found, next } = await hours.read(webhookId, hour, cursor);
    for (const { delivery } of found) count.add(delivery);
    looked += found.length;
    cursor = next;
  } while (cursor !== null && looked < atMost);
  const counts = count.counts();
  const percentiles = { p50_ms: percentileMs(counts, 0.5), p95_ms: percentileMs(counts, 0.95) };
  return { counted: { ...counts, ...percentiles, counted_at: nowMs }, isWhole: cursor === null, looked };
};

const latest = (times: readonly (number | null)[]): string | null => {
  const known = times.filter((time) => time !== null);
  return known.length > 0 ? new Date(Math.max(...known)).toISOString() : null;
};

/** How it went with a webhook, hour by hour, by the time at which its deliveries were created. */
export const webhookStats = async (
  request: {
    readonly owner: string;
    readonly id: string;
    readonly since: number | undefined;
    readonly until: number | undefined;
    readonly nowMs: number;
  },
  { webhooks, hours, speed }: StatsDependencies,
): Promise<WebhookStats> => {
  const { owner, id, nowMs } = request;
  const until = request.until ?? nowMs;
  const since = request.since ?? hoursBefore(until, DEFAULT_HOURS, speed).endMs;
  if (since >= until) throw invalid('until', 'invalid', 'must be later than `since`');
  const first = hourAt(Math.max(0, since), speed);
  const lengthMs = first.endMs - first.startMs;
  if (until - first.startMs > MOST_HOURS * lengthMs) {
    throw invalid('since', 'too_big', `must be at most ${MOST_HOURS} hours before \`until\``);
  }
  const webhook = await webhooks.findAny(owner, id);
  if (webhook?.deleted_at !== null) throw notFound('webhook');

  const [known, readUntilMs] = await Promise.all([hours.between(id, first.startMs, until), hours.readUntilMs()]);
  const counted = new Map(known.flatMap((hour) => (hour.counted ? [[hour.startMs, hour.counted]] : [])));
  const final = new Set(known.flatMap(({ startMs, isFinal }) => (isFinal ? [startMs] : [])));
  const asked = new Set(known.map(({ startMs }) => startMs));
  const isOpen = (startMs: number): boolean =>
    !final.has(startMs) && (asked.has(startMs) || startMs >= (readUntilMs ?? 0));

  const extremes: CountedHour[] = [];
  let asOfMs = nowMs;
  let left = LOOK_AT_MOST;
  let live = 0;
  const newest = hourAt(Math.min(until - 1, nowMs), speed);
  for (let { startMs } = newest; startMs >= first.startMs; startMs -= lengthMs) {
    if (!isOpen(startMs)) continue;
    if (left > 0 && live < LIVE_HOURS) {
      const { isWhole, looked, ...read } = await readLive(id, hourAt(startMs, speed), nowMs, left, hours);
      live++;
      left -= looked;
      extremes.push(read.counted);
      // Fewer than were counted: the others have expired.
      if (isWhole && looked > 0 && looked >= (counted.get(startMs)?.deliveries ?? 0))
        counted.set(startMs, read.counted);
      if (isWhole) continue;
    }
    asOfMs = Math.min(asOfMs, counted.get(startMs)?.counted_at ?? startMs);
  }

  const shown = [...counted].toSorted(([a], [b]) => a - b);
  const sum = (name: 'delivered' | 'dead'): number => shown.reduce((total, [, hour]) => total + hour[name], 0);
  const settled = sum('delivered') + sum('dead');
  const all = [...shown.map(([, hour]) => hour), ...extremes];
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
