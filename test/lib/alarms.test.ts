import { describe, expect, test } from 'vitest';
import type { AlarmId } from '../../lib/alarm-rules.ts';
import { type AlarmDefinition, alarmDefinitions } from '../../local/metrics/alarm-definitions.ts';
import { evaluateAlarm } from '../../local/metrics/alarm-state.ts';
import { createMetricStore } from '../../local/metrics/metric-store.ts';
import type { Assembly } from '../../local/template/template.ts';
import { nameOf, resourcesOf, synthesise } from '../helpers/synthesised.ts';

const MINUTE_MS = 60_000;
const START_MS = 1_000 * 15 * MINUTE_MS;

const assemblyWith = (settings: Readonly<Record<string, string>>): Assembly => ({
  stackName: 'passpost-test',
  resources: new Map(
    Object.entries(resourcesOf(synthesise(settings))).map(([logicalId, resource]) => [
      logicalId,
      { logicalId, type: resource.Type, properties: resource.Properties ?? {}, name: nameOf(resource) },
    ]),
  ),
  outputs: {},
  bundle: () => '',
});
const { alarms } = alarmDefinitions(assemblyWith({}), (value) => value);

interface Hour {
  /** The values that a metric gets in a minute, by the minute's number. */
  readonly minute: (number: number) => readonly number[];
  /** Minutes until CloudWatch receives the values. */
  readonly lateMinutes?: number;
}

/** Whether the alarm goes off within one hour in which its first metric gets these values. */
const goesOff = (name: AlarmId, { minute, lateMinutes = 0 }: Hour): boolean => {
  const alarm = alarms.find((alarm) => alarm.name === name) as AlarmDefinition;
  const [query] = alarm.queries.values();
  if (!query) throw new Error(`${name} reads no metric`);
  const store = createMetricStore(MINUTE_MS);
  return Array.from({ length: 60 }, (_, number) => {
    const received = number - lateMinutes;
    const values = received < 0 ? [] : minute(received);
    if (values.length > 0) store.record(query.metric, values, START_MS + received * MINUTE_MS);
    const nowMs = START_MS + (number + 1) * MINUTE_MS;
    return evaluateAlarm(alarm, 'OK', Math.floor((number + 1) / alarm.minutes), nowMs, { store, quotas: {} });
  }).includes('ALARM');
};

const everyMinutes =
  (minutes: number, values: readonly number[] = [1]) =>
  (number: number): readonly number[] =>
    Math.floor(number / minutes) !== Math.floor((number - 1) / minutes) ? values : [];

/** A failed message returns to its queue after 270 s. */
const RETURN_MINUTES = 4.5;
/** Latencies in one minute: one account's events wait for 90 s, all others for 200 ms. */
const oneSlowAccount = [...Array.from({ length: 97 }, () => 200), 90_000, 90_000, 90_000];

describe('alarms of the stack, evaluated for one hour', () => {
  // With little traffic three bad minutes never follow each other, so these alarms stayed OK although everything failed.
  test.each<[AlarmId, string, Hour['minute']]>([
    ['deliver-errors', 'the deliver function fails once every 4.5 minutes', everyMinutes(RETURN_MINUTES)],
    [
      'handed-back',
      'the deliver function returns one message to its queue every 4.5 minutes',
      everyMinutes(RETURN_MINUTES),
    ],
    ['keyring-unreadable', 'the keyring cannot be read once every 5 minutes', everyMinutes(RETURN_MINUTES + 0.5)],
    ['throttles', 'Lambda throttles the deliver function once every 4.5 minutes', everyMinutes(RETURN_MINUTES)],
    ['api-errors', 'one API call fails every two minutes', everyMinutes(2)],
    ['due-errors', 'the due function fails every second minute', everyMinutes(2)],
    ['first-attempts', 'one event every three minutes waits 90 s for its first attempt', everyMinutes(3, [90_000])],
  ])('the alarm %s goes off if %s', (name, _, minute) => {
    expect(goesOff(name, { minute })).toBe(true);
  });

  test.each<AlarmId>(['deliver-errors', 'handed-back', 'keyring-unreadable', 'api-errors'])(
    'the alarm %s stays OK if its metric counts one failure every 20 minutes',
    (name) => {
      expect(goesOff(name, { minute: everyMinutes(20) })).toBe(false);
    },
  );

  // The average of such a minute is only three seconds.
  test('the alarm first-attempts goes off if in each minute 3 events wait 90 s and 97 events wait 200 ms', () => {
    expect(goesOff('first-attempts', { minute: everyMinutes(1, oneSlowAccount) })).toBe(true);
  });

  // FILL reads a minute without data as 0. With late data, three consecutive minutes above the threshold were impossible.
  test('the alarm in-flight goes off at 97,000 messages in flight although CloudWatch gets each minute three minutes late', () => {
    expect(goesOff('in-flight', { minute: everyMinutes(1, [97_000]), lateMinutes: 3 })).toBe(true);
  });

  test.each<AlarmId>(['deliveries-waiting', 'slow-waiting'])(
    'the alarm %s stays OK if the oldest message is 1,700 s old, and goes off if it is 1,900 s old',
    (name) => {
      expect(goesOff(name, { minute: everyMinutes(1, [1_700]) })).toBe(false);
      expect(goesOff(name, { minute: everyMinutes(1, [1_900]) })).toBe(true);
    },
  );

  // Where nothing died for weeks the usual range is exactly 0, and a single dead delivery of a thousand is outside of it.
  test.each([
    [4, 6, false, 'fewer than five dead deliveries in five minutes'],
    [6, 994, false, '0.6 % of the deliveries are dead'],
    [45, 955, false, '4.5 % of the deliveries are dead'],
    [60, 940, true, '6 % of the deliveries are dead'],
  ])(
    'after 40 minutes without a dead delivery, dead-rate with %s dead and %s delivered in each five minutes goes off: %s (%s)',
    (dead, delivered, expected) => {
      const alarm = alarms.find(({ name }) => name === 'dead-rate') as AlarmDefinition;
      const store = createMetricStore(MINUTE_MS);
      const record = (id: string, count: number, atMs: number) => {
        const query = alarm.queries.get(id);
        if (query && count > 0) store.record(query.metric, [count], atMs);
      };

      const states = Array.from({ length: 12 }, (_, period) => {
        const atMs = START_MS + period * 5 * MINUTE_MS;
        record('delivered', period < 8 ? 1000 : delivered, atMs);
        record('dead', period < 8 ? 0 : dead, atMs);
        return evaluateAlarm(alarm, 'OK', period + 1, atMs + 5 * MINUTE_MS, { store, quotas: {} });
      });

      expect(states.includes('ALARM')).toBe(expected);
    },
  );

  // The reserved part is idle in a flood of calls. Of the quota of 1,000, calls can then use 800, which is 80 %.
  test.each([
    [{}, 790, false],
    [{}, 810, true],
    [{ engineConcurrency: '200' }, 630, false],
    [{ engineConcurrency: '200' }, 650, true],
  ])(
    'with the settings %j and a quota of 1,000, the alarm concurrency with %s executions in use goes off: %s',
    (settings, used, expected) => {
      const definitions = alarmDefinitions(assemblyWith(settings), (value) => value).alarms;
      const alarm = definitions.find(({ name }) => name === 'concurrency') as AlarmDefinition;
      const metric = alarm.queries.get('used')?.metric;
      if (!metric) throw new Error('concurrency reads no metric');
      const store = createMetricStore(MINUTE_MS);
      for (let minute = 0; minute < 5; minute++) store.record(metric, [used], START_MS + minute * MINUTE_MS);

      const state = evaluateAlarm(alarm, 'OK', 5, START_MS + 5 * MINUTE_MS, {
        store,
        quotas: { ConcurrentExecutions: 1000 },
      });

      expect(state).toBe(expected ? 'ALARM' : 'OK');
    },
  );

  test('the alarm unauthorized-calls stays OK at 60 calls with 401 a minute, and goes off at 61 calls', () => {
    const calls = (count: number) =>
      everyMinutes(
        1,
        Array.from({ length: count }, () => 1),
      );

    expect(goesOff('unauthorized-calls', { minute: calls(60) })).toBe(false);
    expect(goesOff('unauthorized-calls', { minute: calls(61) })).toBe(true);
  });

  test('the alarm stream-unread stays OK if the fan-out runs every five minutes, and goes off if the runs stop after 20 minutes', () => {
    expect(goesOff('stream-unread', { minute: everyMinutes(5) })).toBe(false);
    expect(goesOff('stream-unread', { minute: (number) => (number < 20 ? everyMinutes(5)(number) : []) })).toBe(true);
  });
});
