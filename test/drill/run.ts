import { parseArgs } from 'node:util';
import { alarmIds } from '../../lib/alarm-rules.ts';
import { callApi } from '../../local/cli/api-client.ts';
import { synthesiseIfStale } from '../../local/cli/synth.ts';
import { startStack } from '../../local/stack.ts';
import { readAssembly, resourcesOf } from '../../local/template/template.ts';
import { createFaults } from '../helpers/faults.ts';
import { startWebhookReceiver } from '../helpers/webhook-receiver.ts';
import { type Cause, causes, type Scene } from './causes.ts';

// Causes the condition of every alarm on the local stack, one after the other, and checks that the alarm goes off and ends.
// `--only <alarm>` runs one cause; `--speed <factor>` divides the length of a minute.

const { values: options } = parseArgs({
  options: { speed: { type: 'string', default: '30' }, only: { type: 'string', default: '' } },
});
const speed = Number(options.speed);
const minuteMs = 60_000 / speed;
/** Real milliseconds within which an alarm must change its state. Generous, because the machine may be busy. */
const MAX_WAIT_MS = 120_000;

interface Row {
  readonly alarm: string;
  readonly description: string;
  readonly firedAfter: number | null;
  readonly endedAfter: number | null;
}

const states = new Map<string, string>();

/** Minutes of the stack until each alarm is in this state; `null` for an alarm that does not reach it within MAX_WAIT_MS. */
const minutesUntil = async (alarms: readonly string[], state: string): Promise<Map<string, number | null>> => {
  const startMs = Date.now();
  const reached = new Map<string, number | null>(alarms.map((alarm) => [alarm, null]));
  while (Date.now() - startMs < MAX_WAIT_MS && [...reached.values()].includes(null)) {
    for (const alarm of alarms) {
      if (reached.get(alarm) !== null || (states.get(alarm) ?? 'OK') !== state) continue;
      reached.set(alarm, (Date.now() - startMs) / minuteMs);
    }
    await new Promise((next) => setTimeout(next, 20));
  }
  return reached;
};

const runCause = async (cause: Cause, scene: Scene): Promise<Row[]> => {
  console.log(`\n${cause.description}`);
  const end = await cause.begin(scene);
  const fired = await minutesUntil(cause.alarms, 'ALARM');
  await end();
  const ended = await minutesUntil(cause.alarms, 'OK');
  return cause.alarms.map((alarm) => ({
    alarm,
    description: cause.description,
    firedAfter: fired.get(alarm) ?? null,
    endedAfter: ended.get(alarm) ?? null,
  }));
};

const shown = (minutes: number | null): string => (minutes === null ? 'NEVER' : minutes.toFixed(1));

const faults = createFaults();
const receiver = await startWebhookReceiver();
const unknown: string[] = [];
const assembly = await synthesiseIfStale();
const visibilityTimeouts = resourcesOf(readAssembly(assembly), 'AWS::SQS::Queue').map(({ properties }) =>
  Number(properties.VisibilityTimeout ?? 0),
);
const stack = await startStack({
  assembly,
  speed,
  interceptor: faults.interceptor,
  // The template's visibility timeout at this speed, because some alarms depend on when a failed message returns.
  visibilityTimeoutSeconds: Math.max(...visibilityTimeouts) / speed,
  warm: true,
  alarms: {
    quotas: { ConcurrentExecutions: 5 },
    onUnknown: (problem) => unknown.push(problem),
    onChange({ name, state }) {
      states.set(name, state);
      console.log(`  ${state} ${name}`);
    },
  },
});

try {
  const account = { name: 'Drill', rate_limit_per_minute: 30_000 };
  const { body } = await callApi(stack.url, stack.operatorKey, 'POST', '/accounts', account);
  const scene: Scene = { stack, faults, receiver, key: String(body.key), minuteMs, startMs: Date.now() };
  const wanted = causes.filter(({ alarms }) => options.only === '' || alarms.some((alarm) => alarm === options.only));

  const rows: Row[] = [];
  for (const cause of wanted) rows.push(...(await runCause(cause, scene)));

  console.log(`\n${'alarm'.padEnd(20)}${'fired after'.padStart(12)}${'ended after'.padStart(12)}  minutes; cause`);
  for (const { alarm, description, firedAfter, endedAfter } of rows) {
    console.log(
      `${alarm.padEnd(20)}${shown(firedAfter).padStart(12)}${shown(endedAfter).padStart(12)}  ${description}`,
    );
  }
  for (const problem of unknown) console.log(`not evaluated by the local stack: ${problem}`);
  const untested = options.only === '' ? alarmIds.filter((id) => !rows.some(({ alarm }) => alarm === id)) : [];
  for (const id of untested) console.log(`no cause sets this alarm off: ${id}`);
  if (untested.length > 0 || rows.some(({ firedAfter, endedAfter }) => firedAfter === null || endedAfter === null))
    process.exitCode = 1;
} finally {
  receiver.stop();
  await stack.stop();
}
