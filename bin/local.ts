import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { seedDemoAccount, welcome } from '../local/cli/demo.ts';
import { openLogFile } from '../local/cli/log-file.ts';
import { isSynthStale, synthesiseIfStale } from '../local/cli/synth.ts';
import { readableLine } from '../local/functions/log-line.ts';
import { type LocalStack, startStack } from '../local/stack.ts';

const DATA_DIR = '.local';
const LOG_FILE = `${DATA_DIR}/functions.log`;
const DEFAULT_PORT = 4510;

const parseNumber = (name: string, text: string, min: number, max: number): number => {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value >= min && value <= max) return value;
  throw new Error(`${name} takes a number from ${min} to ${max}, not "${text}".`);
};

const readOptions = () => {
  const { values } = parseArgs({
    options: {
      speed: { type: 'string', default: '1' },
      'strict-egress': { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
    },
  });
  const port = parseNumber('PORT', process.env.PORT || String(DEFAULT_PORT), 0, 65_535);
  if (!Number.isInteger(port)) throw new Error(`PORT takes a whole number, not "${process.env.PORT}".`);
  return {
    port,
    speed: parseNumber('--speed', values.speed, 1, 3600),
    strictEgress: values['strict-egress'],
    fresh: values.fresh,
    dynamoEndpoint: process.env.DYNAMODB_ENDPOINT || undefined,
  };
};

const run = async (): Promise<void> => {
  const options = readOptions();
  let stack: LocalStack | undefined;
  let isReady = false;
  let isStopping = false;
  const end = async (): Promise<void> => {
    // A second Ctrl-C, or a Ctrl-C before the stack runs, ends the process immediately.
    if (isStopping || !stack) process.exit(1);
    isStopping = true;
    process.stdout.write('\nThe stack is stopping.\n');
    await stack.stop();
    process.exit(0);
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);

  if (isSynthStale()) process.stdout.write('The stack is being synthesised.\n');
  const assembly = await synthesiseIfStale();
  process.stdout.write('The stack is starting on this machine.\n');
  mkdirSync(DATA_DIR, { recursive: true });
  const logFile = openLogFile(LOG_FILE);
  stack = await startStack({
    ...options,
    assembly,
    dataDir: DATA_DIR,
    alarms: {
      onChange: ({ name, state }) =>
        isReady && !isStopping && process.stdout.write(`${state} ${name}  docs/runbook.md#${name}\n`),
      onUnknown: (problem) =>
        process.stdout.write(`An alarm of the template is not evaluated on this machine: ${problem}.\n`),
    },
    onLog: (line) => {
      logFile.write(line);
      const text = isStopping ? undefined : readableLine(line);
      // During the stack's start only errors are printed, because the start itself calls the API.
      const isPrinted = isReady || line.text.includes('ERROR');
      if (text !== undefined && isPrinted) process.stdout.write(`${text}\n`);
    },
  });
  const apiKey = await seedDemoAccount(stack.url, stack.operatorKey, `${DATA_DIR}/env`);
  isReady = true;
  process.stdout.write(welcome(stack.url, apiKey, LOG_FILE));
};

run().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
