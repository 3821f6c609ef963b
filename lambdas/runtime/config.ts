import * as z from 'zod';
import { defaults } from './defaults.ts';
import { env } from './env.ts';
import { serviceVariable } from './metric-names.ts';

const wholeNumber = () => z.string().regex(/^\d+$/, 'must be a whole number').transform(Number);
const fromOne = () => wholeNumber().pipe(z.number().min(1));

/** Made when asked for: a function asks for few, at its start. */
const fields = {
  domainTable: () => z.string().min(3),
  deliveryTable: () => z.string().min(3),
  deliveriesQueueUrl: () => z.url(),
  slowQueueUrl: () => z.url(),
  failuresQueueUrl: () => z.url(),
  keyringSecret: () => z.string().min(1),
  operatorSecret: () => z.string().min(1),
  frontDoorSecret: () => z.string().min(1),
  retentionDays: () => fromOne().default(defaults.retentionDays),
  autoDisableAfterHours: () => fromOne().default(defaults.autoDisableAfterHours),
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

/** The named values of the environment, parsed. Every problem is told in one error, by the name of its variable. */
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

/** The stack, by which the metrics of one are told from another's. */
export const service = process.env[serviceVariable];

/** What the Lambda service says of the running invocation's trace: another for each. */
export const xrayHeader = (): string | undefined => process.env._X_AMZN_TRACE_ID;
