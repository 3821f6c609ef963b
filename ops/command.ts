import type { ParseArgsOptionsConfig } from 'node:util';
import type { Deployment } from './deployment.ts';

/** The result of an operator's command. */
export interface Report {
  /** The result as an object, printed with `--json` for programs. */
  readonly data: object;
  /** The result as lines of text, printed without `--json` for people. */
  readonly lines: readonly string[];
}

/** The values of a command's options, as typed; an option that was not typed is missing. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  /** The command's description, one line, in the list of commands that `--help` shows. */
  readonly summary: string;
  /** A paragraph that the command's own `--help` shows. */
  readonly details: string;
  /** The command's options by name. `value` is the placeholder and `description` the text that `--help` shows. */
  readonly options: Readonly<
    Record<string, { readonly type: 'string' | 'boolean'; readonly value?: string; readonly description: string }>
  >;
  /**
   * Checks the options and returns the function that performs the command. Throws `UsageError` for a wrong option,
   * before any call to the deployment.
   */
  prepare(values: OptionValues): (deployment: Deployment) => Promise<Report>;
}

/** Error of a wrong command or option. The message is one sentence that names the command or option. */
export class UsageError extends Error {}

/** Returns a command's options in the form that `parseArgs` of Node takes. */
export const parseArgsOptions = (options: Command['options']): ParseArgsOptionsConfig =>
  Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }]));

/** Returns the value of a numeric option, or its default. Throws `UsageError` for a value outside the bounds. */
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

/** Formats a time for people: in UTC, to the second. */
export const utc = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** Formats for people how long ago a time was: in seconds, minutes, hours or days. */
export const ago = (timeMs: number, nowMs: number): string => {
  const seconds = Math.max(0, Math.round((nowMs - timeMs) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} days ago`;
};
