import { randomUUID } from 'node:crypto';
import { ACCOUNT, REGION } from '../template/intrinsics.ts';
import type { Resource } from '../template/template.ts';

export interface ScheduledCall {
  readonly functionArn: string;
  readonly everyMs: number;
  event(scheduledAt: Date): unknown;
}

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

const intervalOf = (expression: unknown): number => {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(String(expression)) ?? [];
  const ms = unitMs[unit ?? ''];
  if (ms === undefined) throw new Error(`The local stack does not know the template's schedule ${expression}.`);
  return Number(count) * ms;
};

interface Target {
  readonly Arn: string;
  readonly Input?: string;
}

const ruleEvent = (ruleName: string, scheduledAt: Date): object => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account: ACCOUNT,
  // Removes the milliseconds from the time if they are zero, because EventBridge's times have whole seconds. Only a
  // speed above 1 can schedule a tick between two seconds; the time of such a tick has milliseconds.
  time: scheduledAt.toISOString().replace('.000Z', 'Z'),
  region: REGION,
  resources: [`arn:aws:events:${REGION}:${ACCOUNT}:rule/${ruleName}`],
  detail: {},
});

/**
 * Returns the calls that an EventBridge rule or schedule makes, each with the function and the interval; none if the
 * rule is disabled or has no schedule expression. `properties` must be resolved.
 */
export const scheduledCalls = ({ type, logicalId }: Resource, properties: Record<string, unknown>): ScheduledCall[] => {
  if (properties.State === 'DISABLED') return [];
  if (properties.ScheduleExpression === undefined) return [];
  const everyMs = intervalOf(properties.ScheduleExpression);
  const isRule = type === 'AWS::Events::Rule';
  const targets = (isRule ? (properties.Targets ?? []) : [properties.Target]) as readonly Target[];
  return targets.map(({ Arn, Input }) => ({
    functionArn: Arn,
    everyMs,
    event(scheduledAt) {
      if (Input === undefined) return isRule ? ruleEvent(logicalId, scheduledAt) : {};
      return JSON.parse(Input.replaceAll('<aws.scheduler.scheduled-time>', scheduledAt.toISOString())) as unknown;
    },
  }));
};

/**
 * Calls `call` at every multiple of the interval, counted from the epoch (for example at every full minute), until
 * `stop` is called. The interval is divided by `speed`.
 */
export const startSchedule = (everyMs: number, speed: number, call: (scheduledAt: Date) => void): { stop(): void } => {
  const intervalMs = everyMs / speed;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const nowMs = Date.now();
    const nextMs = (Math.floor(nowMs / intervalMs) + 1) * intervalMs;
    timer = setTimeout(() => {
      call(new Date(nextMs));
      arm();
    }, nextMs - nowMs);
  };
  arm();
  return { stop: () => clearTimeout(timer) };
};
