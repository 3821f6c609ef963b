import type { ParseArgsOptionsConfig } from 'node:util';
import type { Deployment } from './deployment.ts';

/** The result of a command. */
export interface Report {
  /** For machines: printed with `--json`. */
  readonly data: object;
  /** For people. */
  readonly lines: readonly string[];
}

/** The values of a command's options, as typed; an option that was not typed is missing. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  /** One line of the overview. */
  readonly summary: string;
  /** Paragraph of the command's own `--help`. */
  readonly details: string;
  /** `value` is the placeholder and `description` the text that `--help` shows. */
  readonly options: Readonly<
    Record<string, { readonly type: 'string' | 'boolean'; readonly value?: string; readonly description: string }>
  >;
  /** Checks the options. Throws `UsageError` before any call to the deployment. */
  prepare(values: OptionValues): (deployment: Deployment) => Promise<Report>;
}

/** A wrong option. The message is one sentence that names the option. */
export class UsageError extends Error {}

/** The options of a command in the form of `parseArgs`. */
export const parseArgsOptions = (options: Command['options']): ParseArgsOptionsConfig =>
  Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }]));

/** The value of a numeric option, or its default. Throws `UsageError` for a value outside the bounds. */
export const wholeNumber = (
  values: OptionValues,
  name: string,
  bounds: readonly [number, number],
  defaultValue: number,
): number => {
  const text = values[name];
  if (text === undefined) return defaultValue;
  const [min, max] = bounds;
  const value = Number(text);
  if (/^\d+$/.test(String(text)) && value >= min && value <= max) return value;
  throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not "${text}".`);
};

/** A time for people: UTC, to the second. */
export const utc = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** The age of a time for people: in seconds, minutes, hours or days. */
export const ago = (timeMs: number, nowMs: number): string => {
  const seconds = Math.max(0, Math.round((nowMs - timeMs) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} days ago`;
};
