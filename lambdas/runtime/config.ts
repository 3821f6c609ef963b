import * as z from 'zod';
import { env } from './env.ts';
import { serviceVariable } from './metric-names.ts';

const wholeNumber = () => z.string().regex(/^\d+$/, 'must be a whole number').transform(Number);
const fromOne = () => wholeNumber().pipe(z.number().min(1));

/**
 * The schemas of environment variables. Each is created on demand, because each function reads only a few variables at
 * its start.
 */
const fields = {
  domainTable: () => z.string().min(3),
  deliveryTable: () => z.string().min(3),
  credentialsTable: () => z.string().min(3),
  deliveriesQueueUrl: () => z.url(),
  slowQueueUrl: () => z.url(),
  failuresQueueUrl: () => z.url(),
  keyringSecret: () => z.string().min(1),
  operatorSecret: () => z.string().min(1),
  frontDoorSecret: () => z.string().min(1),
  // The next two variables have no default, because the stack always sets both, so only the stack's settings decide.
  retentionDays: () => fromOne(),
  autoDisableAfterHours: () => fromOne(),
  ownHosts: () =>
    z
      .string()
      .default('')
      .transform((text) => text.split(',').filter((host) => host !== '')),
  scheduleSpeed: () =>
    z
      .string()
      .regex(/^\d+(\.\d+)?$/, 'must be a number')
      .transform(Number)
      .pipe(z.number().positive())
      .default(1),
  egressAllow: () => z.literal('loopback').optional(),
} satisfies Record<keyof typeof env, () => z.ZodType>;

type Config = { readonly [K in keyof typeof fields]: z.output<ReturnType<(typeof fields)[K]>> };

/**
 * Returns the parsed values of the named environment variables. Throws one error that names every wrong variable and no
 * value.
 */
export const readConfig = <K extends keyof Config>(
  names: readonly K[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Pick<Config, K> => {
  const problems: string[] = [];
  const values = names.map((name) => {
    const { data, error } = fields[name]().safeParse(environment[env[name]]);
    for (const { message } of error?.issues ?? []) problems.push(`${env[name]}: ${message}`);
    return [name, data];
  });
  if (problems.length > 0) throw new Error(`The function's environment is wrong. ${problems.join('; ')}`);
  return Object.fromEntries(values) as Pick<Config, K>;
};

/** The stack's name: the metric dimension that separates several stacks in one AWS account. */
export const service = process.env[serviceVariable];

/** Returns the X-Ray trace header of the running invocation. Lambda sets a new value for each invocation. */
export const xrayHeader = (): string | undefined => process.env._X_AMZN_TRACE_ID;
