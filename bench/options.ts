import { parseArgs } from 'node:util';

const parts = ['main', 'growth', 'isolation', 'monitoring', 'signer', 'start-up'] as const;
export type Part = (typeof parts)[number];
const usually: readonly Part[] = ['main', 'signer', 'start-up'];

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

  main           N events × W webhooks, N/10 × 10, and lone tasks and events
  growth         1,000 and 50,000 events, to compare what a delivery takes
  isolation      a webhook that stalls on 300, 1,000 and 10,000 deliveries, and what another's then wait
  monitoring     what metrics and ids take of a delivery: bytes in the log as dollars, and CPU
  signer         CPU of a delivery against that of a bare POST with HMAC
  start-up       import of each bundle against that of the SDK clients it holds

  Without a part: ${usually.join(', ')}.

  --events N     events of the main run
  --webhooks N   webhooks that want each of them
  --json         the figures as JSON`;

/** Throws, naming the flag or the part, where one is wrong. */
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
    parts: positionals.length === 0 ? usually : positionals.map(partOf),
    events: wholeNumber('events', values.events),
    webhooks: wholeNumber('webhooks', values.webhooks),
    isJson: values.json,
  };
};
