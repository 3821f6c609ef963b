import { REMOVE_FAILED_STACK } from './failed-stack.ts';

/** The arguments of `npm run deploy -- …` that the preflight checks use. */
export interface CdkArguments {
  /** The values, each `name=value`, of every `-c` and `--context`. */
  readonly context: readonly string[];
  readonly profile: string | undefined;
  /** Whether the stack of a failed first deployment may be deleted. */
  readonly removesFailedStack: boolean;
  /** The arguments for `cdk deploy`: all except the ones that only `npm run deploy` has. */
  readonly forCdk: readonly string[];
}

const valuesOf = (args: readonly string[], long: string, short: string | null): readonly string[] =>
  args.flatMap((arg, index) => {
    if (arg === long || arg === short) return args[index + 1] ?? [];
    return arg.startsWith(`${long}=`) ? arg.slice(long.length + 1) : [];
  });

export const readCdkArguments = (args: readonly string[]): CdkArguments => ({
  context: valuesOf(args, '--context', '-c'),
  profile: valuesOf(args, '--profile', null).at(-1),
  removesFailedStack: args.includes(REMOVE_FAILED_STACK),
  forCdk: args.filter((arg) => arg !== REMOVE_FAILED_STACK),
});
