import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPlan } from '../../deploy/plan.ts';
import { writeAssembly } from '../helpers/assembly.ts';
import { type FakeAccount, startFakeAws } from '../helpers/fake-aws.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'passpost-preflight-'));
const ready: FakeAccount = { bootstrap: 30, unreservedConcurrency: 1000 };
const signedIn = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'eu-north-1' };

// In place of the CDK's command line: a synth gives the assembly that was made before, and what it is asked is written down.
const stub = `#!${process.execPath}
const { appendFileSync, cpSync } = require('node:fs');
const args = process.argv.slice(2);
appendFileSync(process.env.CALLS, JSON.stringify(args) + '\\n');
if (args[0] === 'synth') {
  const plan = args.includes('deliverConcurrency=2') ? 'small' : 'default';
  cpSync('${folder}/' + plan, args[args.indexOf('--output') + 1], { recursive: true });
}
process.exit(args[0] === 'deploy' && args.includes('fail=1') ? 3 : 0);
`;

beforeAll(async () => {
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'home'));
  writeFileSync(join(folder, 'bin', 'cdk'), stub, { mode: 0o755 });
  const small = { deliverConcurrency: '2', slowConcurrency: '2' };
  await Promise.all([writeAssembly(join(folder, 'default')), writeAssembly(join(folder, 'small'), small)]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const deploy = async (
  account: FakeAccount,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = signedIn,
) => {
  const aws = await startFakeAws(account);
  const calls = join(mkdtempSync(join(folder, 'run-')), 'calls');
  const child = spawn(process.execPath, [join(root, 'bin/deploy.ts'), ...args], {
    env: {
      PATH: [join(folder, 'bin'), dirname(process.execPath)].join(delimiter),
      // No credentials of this machine's.
      HOME: join(folder, 'home'),
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL: aws.url,
      CALLS: calls,
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  await aws.stop();
  const ran = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
  return { code, said, asked: aws.asked, ran: ran.map((line) => JSON.parse(line) as string[]) };
};

describe('npm run deploy', () => {
  test.concurrent('deploys for production what is ready for it', async () => {
    const { code, said, asked, ran } = await deploy(ready);

    expect(code).toBe(0);
    expect(ran.map(([command]) => command)).toEqual(['synth', 'deploy']);
    expect(ran[1]).toEqual(['deploy', '-c', 'stage=production']);
    expect(said).toContain('Checking the account 111122223333 in eu-north-1.');
    // It reads these three and nothing else.
    expect(asked).toEqual([
      'sts:GetCallerIdentity',
      'ssm:GetParameter /cdk-bootstrap/hnb659fds/version',
      'lambda:GetAccountSettings',
    ]);
  });

  test.concurrent('hands its arguments to cdk deploy, and the settings to the check', async () => {
    const given = ['-c', 'stage=test', '--context=retentionDays=7', '--require-approval', 'never'];

    const { ran } = await deploy(ready, given);

    expect(ran[0]?.slice(-4)).toEqual(['-c', 'stage=test', '-c', 'retentionDays=7']);
    expect(ran[1]).toEqual(['deploy', ...given]);
  });

  test.concurrent('fails as cdk deploy fails', async () => {
    const { code } = await deploy(ready, ['-c', 'fail=1']);

    expect(code).toBe(3);
  });

  test.concurrent.each([
    ['no credentials', ready, { AWS_REGION: 'eu-north-1' }, /no AWS credentials: set AWS_PROFILE/],
    ['no region', ready, { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' }, /No region is chosen: set AWS_REGION/],
    ['credentials that ran out', { ...ready, identityError: 'ExpiredToken' }, signedIn, /refuses these.*sign in again/],
    [
      'an account not bootstrapped',
      { ...ready, bootstrap: null },
      signedIn,
      /run npx cdk bootstrap aws:\/\/1{4}2{4}3{4}\/eu-north-1/,
    ],
    ['an old bootstrap', { ...ready, bootstrap: 5 }, signedIn, /version 5 and \d+ is needed: run npx cdk bootstrap/],
    [
      "a new account's concurrency",
      { ...ready, unreservedConcurrency: 10 },
      signedIn,
      /10 functions at once .* needs 21 .*L-B99A9384/,
    ],
  ] as const)('refuses %s, says what to do and touches nothing', async (_, account, environment, message) => {
    const { code, said, ran } = await deploy(account, [], environment);

    expect(said).toMatch(message);
    expect(code).toBe(1);
    expect(ran.map(([command]) => command)).not.toContain('deploy');
  });

  test.concurrent("takes a new account's concurrency for the smallest bounds", async () => {
    const { code, said } = await deploy({ ...ready, unreservedConcurrency: 10 }, [
      ...['-c', 'deliverConcurrency=2', '-c', 'slowConcurrency=2'],
    ]);

    expect(said).toContain('10 are needed');
    expect(code).toBe(0);
  });

  test.concurrent('goes on where it may not look, and says so', async () => {
    const { code, said } = await deploy({
      bootstrap: 'AccessDeniedException',
      unreservedConcurrency: 'AccessDeniedException',
    });

    expect(code).toBe(0);
    expect(said).toMatch(/\? Whether eu-north-1 is bootstrapped is not known.*ssm:GetParameter/);
    expect(said).toMatch(/\? Whether Lambda may run .*lambda:GetAccountSettings/);
  });

  test('knows what the stack needs at once from the stack itself', () => {
    expect(readPlan(join(folder, 'default')).concurrency).toEqual({
      deliveries: 5,
      slow: 10,
      stream: 4,
      'tick and API': 2,
    });
    expect(readPlan(join(folder, 'small')).concurrency).toEqual({
      deliveries: 2,
      slow: 2,
      stream: 4,
      'tick and API': 2,
    });
  });
});
