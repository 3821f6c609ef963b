import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly events: number;
  readonly webhooks: number;
  readonly isGrowth: boolean;
  readonly isIsolation: boolean;
  readonly isJson: boolean;
}

const wholeNumber = (flag: string, text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${flag} takes a whole number from 1, not “${text}”.`);
  return value;
};

export const usage = `npm run bench -- [--events 3000] [--webhooks 1] [--growth] [--isolation] [--json]

  --events N     events of the main run; a run of N/10 events × 10 webhooks follows it
  --webhooks N   webhooks that want each of them
  --growth       also 1,000 and 50,000 events, to compare what a delivery takes
  --isolation    also one webhook stalling on 300, 1,000 and 10,000 deliveries, and what another's then wait
  --json         the figures as JSON`;

/** Throws, naming the flag, where one is wrong. */
export const parseOptions = (args: readonly string[]): BenchOptions => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '3000' },
      webhooks: { type: 'string', default: '1' },
      growth: { type: 'boolean', default: false },
      isolation: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    events: wholeNumber('events', values.events),
    webhooks: wholeNumber('webhooks', values.webhooks),
    isGrowth: values.growth,
    isIsolation: values.isolation,
    isJson: values.json,
  };
};
