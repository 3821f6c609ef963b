import { describe, expect, test } from 'vitest';
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

interface Trouble {
  /** What a minute brought; nothing where it brought none. */
  readonly minute: (number: number) => readonly number[];
  /** CloudWatch hears of it so many minutes later. */
  readonly lateMinutes?: number;
}

/** Whether the alarm was ever on in an hour of it. */
const goesOff = (name: string, { minute, lateMinutes = 0 }: Trouble): boolean => {
  const alarm = alarms.find((one) => one.name === name) as AlarmDefinition;
  const [query] = alarm.queries.values();
  if (!query) throw new Error(`${name} reads no metric`);
  const store = createMetricStore(MINUTE_MS);
  return Array.from({ length: 60 }, (_, number) => {
    const heardOf = number - lateMinutes;
    const values = heardOf < 0 ? [] : minute(heardOf);
    if (values.length > 0) store.record(query.metric, values, START_MS + heardOf * MINUTE_MS);
    const nowMs = START_MS + (number + 1) * MINUTE_MS;
    return evaluateAlarm(alarm, 'OK', Math.floor((number + 1) / alarm.minutes), nowMs, { store, quotas: {} });
  }).includes('ALARM');
};

const everyMinutes =
  (minutes: number, values: readonly number[] = [1]) =>
  (number: number): readonly number[] =>
    Math.floor(number / minutes) !== Math.floor((number - 1) / minutes) ? values : [];

/** A message that we could not work on comes back after 270 s. */
const RETURN_MINUTES = 4.5;
/** One account's events wait for a minute and a half beside those of others, which are quick. */
const oneOfMany = [...Array.from({ length: 97 }, () => 200), 90_000, 90_000, 90_000];

describe('an alarm of the stack', () => {
  // Three minutes in a row, or five, are never bad where little happens: these stayed OK for ever.
  test.each([
    ['deliver-errors', 'one message kills the function each time', everyMinutes(RETURN_MINUTES)],
    ['handed-back', 'one message is handed back each time', everyMinutes(RETURN_MINUTES)],
    [
      'keyring-unreadable',
      'one message waits half a minute for the keyring each time',
      everyMinutes(RETURN_MINUTES + 0.5),
    ],
    ['throttles', 'one message finds no concurrency each time', everyMinutes(RETURN_MINUTES)],
    ['api-errors', 'a broken API is called every other minute', everyMinutes(2)],
    ['due-errors', 'every other tick fails', everyMinutes(2)],
    ['first-attempts', 'an event every three minutes waits', everyMinutes(3, [90_000])],
  ])('%s goes off where %s', (name, _, minute) => {
    expect(goesOff(name, { minute })).toBe(true);
  });

  test.each(['deliver-errors', 'handed-back', 'keyring-unreadable', 'api-errors'])(
    '%s forgives one failure',
    (name) => {
      expect(goesOff(name, { minute: everyMinutes(20) })).toBe(false);
    },
  );

  // The average of such a minute is three seconds.
  test('first-attempts sees one account wait beside many that do not', () => {
    expect(goesOff('first-attempts', { minute: everyMinutes(1, oneOfMany) })).toBe(true);
  });

  // What FILL puts in place of a minute that is not told of yet kept three in a row from ever being there.
  test('in-flight goes off although CloudWatch hears of each minute late', () => {
    expect(goesOff('in-flight', { minute: everyMinutes(1, [97_000]), lateMinutes: 3 })).toBe(true);
  });

  test.each(['deliveries-waiting', 'slow-waiting'])('%s lets the longest delay pass, and no more', (name) => {
    expect(goesOff(name, { minute: everyMinutes(1, [1_700]) })).toBe(false);
    expect(goesOff(name, { minute: everyMinutes(1, [1_900]) })).toBe(true);
  });

  test('stream-unread stays quiet while a beat comes every five minutes, and goes off when none does', () => {
    expect(goesOff('stream-unread', { minute: everyMinutes(5) })).toBe(false);
    expect(goesOff('stream-unread', { minute: (number) => (number < 20 ? everyMinutes(5)(number) : []) })).toBe(true);
  });
});
