import { describe, expect, test } from 'vitest';
import type { AlarmId } from '../../lib/alarm-rules.ts';
import { type AlarmDefinition, alarmDefinitions } from '../../local/metrics/alarm-definitions.ts';
import { evaluateAlarm } from '../../local/metrics/alarm-state.ts';
import { createMetricStore } from '../../local/metrics/metric-store.ts';
import type { Assembly } from '../../local/template/template.ts';
import { nameOf, resourcesOf, synthesise } from '../helpers/synthesised.ts';

const MINUTE_MS = 60_000;
const START_MS = 1_000 * 15 * MINUTE_MS;

const assembly: Assembly = {
  stackName: 'passpost-test',
  resources: new Map(
    Object.entries(resourcesOf(synthesise())).map(([logicalId, resource]) => [
      logicalId,
      { logicalId, type: resource.Type, properties: resource.Properties ?? {}, name: nameOf(resource) },
    ]),
  ),
  outputs: {},
  bundle: () => '',
};
const { alarms } = alarmDefinitions(assembly, (value) => value);

interface Hour {
  /** The values that a metric gets in a minute, by the minute's number. */
  readonly minute: (number: number) => readonly number[];
  /** Minutes until CloudWatch receives the values. */
  readonly lateMinutes?: number;
}

/** Whether the alarm goes off within one hour of these values. */
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

describe('an alarm of the stack', () => {
  // With little traffic three bad minutes never follow each other, so these alarms stayed OK although everything failed.
  test.each<[AlarmId, string, Hour['minute']]>([
    ['deliver-errors', 'one message kills the function at every attempt', everyMinutes(RETURN_MINUTES)],
    ['handed-back', 'one message is returned to the queue at every attempt', everyMinutes(RETURN_MINUTES)],
    [
      'keyring-unreadable',
      'one message waits 30 s for the keyring at every attempt',
      everyMinutes(RETURN_MINUTES + 0.5),
    ],
    ['throttles', 'one message is throttled at every attempt', everyMinutes(RETURN_MINUTES)],
    ['api-errors', 'a broken API is called every two minutes', everyMinutes(2)],
    ['due-errors', 'every second tick fails', everyMinutes(2)],
    ['first-attempts', 'one event every three minutes waits for 90 s', everyMinutes(3, [90_000])],
  ])('%s goes off when %s', (name, _, minute) => {
    expect(goesOff(name, { minute })).toBe(true);
  });

  test.each<AlarmId>(['deliver-errors', 'handed-back', 'keyring-unreadable', 'api-errors'])(
    '%s stays OK with one failure every 20 minutes',
    (name) => {
      expect(goesOff(name, { minute: everyMinutes(20) })).toBe(false);
    },
  );

  // The average of such a minute is only three seconds.
  test('first-attempts goes off when one account waits and all others do not', () => {
    expect(goesOff('first-attempts', { minute: everyMinutes(1, oneSlowAccount) })).toBe(true);
  });

  // FILL reads a minute without data as 0. With late data, three consecutive minutes above the threshold were impossible.
  test('in-flight goes off although CloudWatch receives each minute late', () => {
    expect(goesOff('in-flight', { minute: everyMinutes(1, [97_000]), lateMinutes: 3 })).toBe(true);
  });

  test.each<AlarmId>(['deliveries-waiting', 'slow-waiting'])('%s goes off only above 30 minutes', (name) => {
    expect(goesOff(name, { minute: everyMinutes(1, [1_700]) })).toBe(false);
    expect(goesOff(name, { minute: everyMinutes(1, [1_900]) })).toBe(true);
  });

  test('stream-unread stays OK while a heartbeat comes every five minutes, and goes off when it stops', () => {
    expect(goesOff('stream-unread', { minute: everyMinutes(5) })).toBe(false);
    expect(goesOff('stream-unread', { minute: (number) => (number < 20 ? everyMinutes(5)(number) : []) })).toBe(true);
  });
});
