import type { LocalQueue } from '../queues/queues.ts';
import type { Resolve } from '../template/intrinsics.ts';
import type { Assembly } from '../template/template.ts';
import { alarmDefinitions } from './alarm-definitions.ts';
import { type AlarmState, evaluateAlarm } from './alarm-state.ts';
import { metricFilters } from './metric-filters.ts';
import { createMetricSources, type MetricSources } from './metric-sources.ts';
import { createMetricStore } from './metric-store.ts';

export interface AlarmChange {
  readonly name: string;
  readonly state: AlarmState;
}

export interface AlarmOptions {
  readonly onChange: (change: AlarmChange) => void;
  /**
   * Called once for each alarm or metric filter of the template that the local stack cannot evaluate, with its name and
   * the reason.
   */
  readonly onUnknown?: (problem: string) => void;
  /** The account's quotas by resource; by default 1,000 concurrent executions, as in a new AWS account. */
  readonly quotas?: Readonly<Record<string, number>>;
}

export interface Alarms {
  readonly sources: MetricSources;
  /** Starts to measure queues and running functions, and evaluates the alarms at the end of every minute. */
  start(queues: Iterable<LocalQueue>, running: () => number): void;
  stop(): void;
}

const MINUTE_MS = 60_000;
const MEASUREMENTS_A_MINUTE = 4;
/**
 * Milliseconds between a minute's end and the evaluation of the alarms, because the minute's last log lines arrive
 * slightly later.
 */
const GRACE_MS = 150;
const QUOTAS = { ConcurrentExecutions: 1000 };

/**
 * Creates the evaluation of the template's alarms on metrics that are measured on this machine. `speed` divides the
 * length of a minute.
 */
export const createAlarms = (
  assembly: Assembly,
  resolve: Resolve,
  speed: number,
  { onChange, onUnknown, quotas = QUOTAS }: AlarmOptions,
): Alarms => {
  const minuteMs = MINUTE_MS / speed;
  const store = createMetricStore(minuteMs);
  const filters = metricFilters(assembly, resolve);
  const sources = createMetricSources(store, speed, filters.read);
  const { alarms, unknown } = alarmDefinitions(assembly, resolve);
  for (const problem of [...filters.unknown, ...unknown]) onUnknown?.(problem);
  const broken = new Set<string>();
  const states = new Map<string, AlarmState>(alarms.map(({ name }) => [name, 'OK']));
  const timers: NodeJS.Timeout[] = [];

  const evaluate = (startMs: number, nowMs: number): void => {
    for (const alarm of alarms) {
      const { name } = alarm;
      const before = states.get(name) ?? 'OK';
      const periodMs = alarm.minutes * minuteMs;
      const knownPeriods = Math.floor(nowMs / periodMs) - Math.ceil(startMs / periodMs);
      try {
        const state = evaluateAlarm(alarm, before, knownPeriods, nowMs, { store, quotas });
        if (state === before) continue;
        states.set(name, state);
        onChange({ name, state });
      } catch (error) {
        // An alarm whose expression throws is reported once, and all other alarms are still evaluated. Some errors of
        // an expression appear only when its metrics have values.
        if (!broken.has(name)) onUnknown?.(`${name}: ${(error as Error).message}`);
        broken.add(name);
      }
    }
  };

  return {
    sources,
    start(queues, running) {
      const startMs = Date.now();
      const measureNow = (): void => {
        for (const queue of queues) {
          const oldestMs = queue
            .peek()
            .reduce((minMs, { sentTimestamp }) => Math.min(minMs, Number(sentTimestamp)), Infinity);
          sources.queue(queue.logicalId, queue.depth(), oldestMs);
        }
        sources.running(running());
      };
      timers.push(setInterval(measureNow, minuteMs / MEASUREMENTS_A_MINUTE).unref());
      const evaluateAtMinuteEnd = (): void => {
        const nowMs = Date.now();
        const nextMs = (Math.floor(nowMs / minuteMs) + 1) * minuteMs;
        timers[1] = setTimeout(
          () => {
            evaluate(startMs, nextMs);
            evaluateAtMinuteEnd();
          },
          nextMs - nowMs + GRACE_MS,
        ).unref();
      };
      evaluateAtMinuteEnd();
    },
    stop() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
};
