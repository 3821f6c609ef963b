import type { ParseArgsOptionsConfig } from 'node:util';
import type { Deployment } from './deployment.ts';

/** What a command found or did: for machines, and for people. */
export interface Report {
  readonly data: object;
  readonly lines: readonly string[];
}

/** What was given for the command's own options. */
export type Given = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  /** One line. */
  readonly summary: string;
  /** What `--help` says besides. */
  readonly details: string;
  /** Each with what `--help` says of it. */
  readonly options: Readonly<
    Record<string, { readonly type: 'string' | 'boolean'; readonly value?: string; readonly says: string }>
  >;
  /** Throws `UsageError` for what was given wrong, before anything is asked of the deployment. */
  prepare(given: Given): (deployment: Deployment) => Promise<Report>;
}

/** Something was given wrong: one sentence that names the flag. */
export class UsageError extends Error {}

/** The options of a command as `parseArgs` takes them. */
export const parseable = (options: Command['options']): ParseArgsOptionsConfig =>
  Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }]));

/** A whole number within bounds, or the default where the flag was not given. */
export const wholeNumber = (
  given: Given,
  name: string,
  bounds: readonly [number, number],
  otherwise: number,
): number => {
  const text = given[name];
  if (text === undefined) return otherwise;
  const [least, most] = bounds;
  const value = Number(text);
  if (/^\d+$/.test(String(text)) && value >= least && value <= most) return value;
  throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not "${text}".`);
};

/** A moment as people read it, to the second, UTC. */
export const moment = (timeMs: number): string =>
  `${new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** How long ago, in the largest unit that says something. */
export const ago = (timeMs: number, nowMs: number): string => {
  const seconds = Math.max(0, Math.round((nowMs - timeMs) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} days ago`;
};
