import { parseArgs } from 'node:util';

const parts = [
  'main',
  'growth',
  'isolation',
  'monitoring',
  'signer',
  'start-up',
  'due',
  'recovery',
  'singles',
  'profile',
] as const;
export type Part = (typeof parts)[number];
const defaultParts: readonly Part[] = ['main', 'signer', 'start-up'];

export interface BenchOptions {
  readonly parts: readonly Part[];
  readonly events: number;
  readonly webhooks: number;
  readonly isJson: boolean;
}

const wholeNumber = (flag: string, text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${flag} takes a whole number from 1, not “${text}”.`);
  return value;
};

const isPart = (name: string): name is Part => (parts as readonly string[]).includes(name);

const partOf = (name: string): Part => {
  if (isPart(name)) return name;
  throw new Error(`There is no part “${name}”; there are ${parts.join(', ')}.`);
};

export const usage = `npm run bench -- [part …] [--events 3000] [--webhooks 1] [--json]

  main           N events × W webhooks, N/10 events × 10 webhooks, and single tasks and events
  growth         1,000 and 50,000 events, to compare the use per delivery
  isolation      the delay of one webhook while another webhook stalls on 300, 1,000 and 10,000 deliveries
  monitoring     the share of metrics and ids in a delivery: log bytes in dollars, and CPU time
  signer         CPU time of a delivery compared with a plain POST with an HMAC
  start-up       import time of each bundle compared with the SDK clients in the bundle
  due            ticks of the due index over 500,000 overdue deliveries and 1,000 parked ones
  singles        rate, duration of a publish call, CPU time by thread, and memory: 1 publisher, 20, and hundreds a call
  profile        CPU time of a single event by thread and by package, with 1 publisher and with 20
  recovery       the recovery of 100,000 dead deliveries, over a restart of the stack; some ten minutes

  Without a part these run: ${defaultParts.join(', ')}.

  --events N     number of events in the main part
  --webhooks N   number of webhooks that receive each event
  --json         prints the results as JSON`;

/**
 * Parses the command line of `npm run bench`. Throws an error that names the wrong option or the wrong benchmark part.
 */
export const parseOptions = (args: readonly string[]): BenchOptions => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      events: { type: 'string', default: '3000' },
      webhooks: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    parts: positionals.length === 0 ? defaultParts : positionals.map(partOf),
    events: wholeNumber('events', values.events),
    webhooks: wholeNumber('webhooks', values.webhooks),
    isJson: values.json,
  };
};
