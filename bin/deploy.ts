import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCdkArguments } from '../deploy/cdk-arguments.ts';
import { checkNetwork } from '../deploy/network-preflight.ts';
import { readPlan } from '../deploy/plan.ts';
import { checkBootstrap, checkConcurrency, checkRegions, type Finding, findTarget } from '../deploy/preflight.ts';

// `npm run deploy -- …`: checks that the account is ready for the deployment, then runs `cdk deploy` with all arguments.

const say = (line: string): void => console.error(line);

const cdk = async (...args: readonly string[]): Promise<number> => {
  const child = spawn('cdk', args, { stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
};

const refuse = (findings: readonly Finding[]): boolean => {
  for (const { verdict, message } of findings)
    say(`${{ fine: '✓', scarce: '!', missing: '✗', unknown: '?' }[verdict]} ${message}`);
  const isRefused = findings.some(({ verdict }) => verdict === 'missing');
  if (isRefused) say('Nothing was deployed.');
  return isRefused;
};

const run = async (): Promise<number> => {
  const cdkArguments = process.argv.slice(2);
  const { context, profile } = readCdkArguments(cdkArguments);
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
  try {
    const settings = context.flatMap((text) => ['-c', text]);
    if ((await cdk('synth', '--quiet', '--no-notices', '--output', assembly, ...stage, ...settings)) !== 0) return 1;
    const plan = readPlan(assembly);
    const findings = [
      ...checkRegions(plan, target),
      await checkBootstrap(plan, target),
      await checkConcurrency(plan, target),
      ...(await checkNetwork(plan, target, process.env.AWS_ENDPOINT_URL)),
    ];
    if (refuse(findings)) return 1;
  } finally {
    rmSync(assembly, { recursive: true, force: true });
  }
  return cdk('deploy', ...stage, ...cdkArguments);
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
