/** The arguments of `npm run deploy -- …` that the preflight checks use. `cdk deploy` gets all arguments unchanged. */
export interface CdkArguments {
  /** The values, each `name=value`, of every `-c` and `--context`. */
  readonly context: readonly string[];
  readonly profile: string | undefined;
}

const valuesOf = (args: readonly string[], long: string, short: string | null): readonly string[] =>
  args.flatMap((arg, index) => {
    if (arg === long || arg === short) return args[index + 1] ?? [];
    return arg.startsWith(`${long}=`) ? arg.slice(long.length + 1) : [];
  });

export const readCdkArguments = (args: readonly string[]): CdkArguments => ({
  context: valuesOf(args, '--context', '-c'),
  profile: valuesOf(args, '--profile', null).at(-1),
});
