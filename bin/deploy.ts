import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CdkArguments, readCdkArguments } from '../deploy/cdk-arguments.ts';
import { readStack } from '../deploy/deployed-stack.ts';
import { decideEngineConcurrency } from '../deploy/engine-concurrency.ts';
import { checkFailedStack, describeOrphans, removeFailedStack } from '../deploy/failed-stack.ts';
import { checkNetwork } from '../deploy/network-preflight.ts';
import { readPlan } from '../deploy/plan.ts';
import {
  checkBootstrap,
  checkConcurrency,
  checkRegions,
  type Finding,
  findTarget,
  readLambdaLimits,
  type Target,
} from '../deploy/preflight.ts';

// `npm run deploy -- …`: checks that the account is ready for the deployment, then runs `cdk deploy` with its
// arguments. The exit codes are in docs/deploying.md.

const say = (line: string): void => console.error(line);

const cdk = async (...args: readonly string[]): Promise<number> => {
  const child = spawn('cdk', args, { stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
};

/**
 * Prints the findings, and `details` of the failed stack below them. Returns whether a finding refuses the deployment.
 */
const refuse = (findings: readonly Finding[], details: readonly string[] = []): boolean => {
  for (const { verdict, message } of findings)
    say(`${{ fine: '✓', scarce: '!', missing: '✗', unknown: '?' }[verdict]} ${message}`);
  for (const line of details) say(`  ${line}`);
  const isRefused = findings.some(({ verdict }) => verdict === 'missing');
  if (isRefused) say('Nothing was deployed.');
  return isRefused;
};

/** Checks the account, prints the findings, and returns the arguments that `cdk deploy` gets; `null` if it must not run. */
const prepare = async (
  assembly: string,
  target: Target,
  { removesFailedStack }: CdkArguments,
): Promise<readonly string[] | null> => {
  const plan = readPlan(assembly);
  const [stack, limits] = await Promise.all([readStack(plan.stackName, target.region), readLambdaLimits(target)]);
  const engine = decideEngineConcurrency(plan, stack, limits);
  const reserved = stack === null || stack === 'unknown' ? 0 : (stack.engineConcurrency ?? 0);
  const failed = checkFailedStack(plan.stackName, stack, removesFailedStack);
  const isFailed = failed.length > 0 && stack !== null && stack !== 'unknown';
  const orphans = isFailed ? await describeOrphans(stack, target) : [];
  const findings = [
    ...failed,
    ...checkRegions(plan, target),
    await checkBootstrap(plan, target),
    checkConcurrency(plan, target, limits, reserved),
    ...engine.findings,
    ...(await checkNetwork(plan, target, process.env.AWS_ENDPOINT_URL)),
  ];
  if (refuse(findings, orphans)) return null;
  if (removesFailedStack && (await removeFailedStack(stack, target))) say('✓ The failed stack was deleted');
  return engine.setting === null ? [] : ['-c', `engineConcurrency=${engine.setting}`];
};

const run = async (): Promise<number> => {
  const cdkArguments = readCdkArguments(process.argv.slice(2));
  const { context, profile } = cdkArguments;
  const stage = context.some((text) => text.startsWith('stage=')) ? [] : ['-c', 'stage=production'];
  // Copies --profile into AWS_PROFILE, and AWS_DEFAULT_REGION into an empty AWS_REGION: the CDK's command line reads
  // all four, but the SDK reads only AWS_PROFILE and AWS_REGION.
  if (profile !== undefined) process.env.AWS_PROFILE = profile;
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  if (!AWS_REGION && AWS_DEFAULT_REGION) process.env.AWS_REGION = AWS_DEFAULT_REGION;

  const target = await findTarget();
  if ('verdict' in target) return refuse([target]) ? 1 : 0;
  say(`Checking the account ${target.account} in ${target.region}.`);
  const assembly = mkdtempSync(join(tmpdir(), 'passpost-plan-'));
  let more: readonly string[] | null;
  try {
    const settings = context.flatMap((text) => ['-c', text]);
    if ((await cdk('synth', '--quiet', '--no-notices', '--output', assembly, ...stage, ...settings)) !== 0) return 1;
    more = await prepare(assembly, target, cdkArguments);
  } finally {
    rmSync(assembly, { recursive: true, force: true });
  }
  return more === null ? 1 : cdk('deploy', ...stage, ...more, ...cdkArguments.forCdk);
};

run().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    say(`✗ ${error.message}`);
    process.exitCode = 1;
  },
);
