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
import { frontDoorSettings, mostSettings } from '../helpers/settings.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'passpost-preflight-'));
const ready: FakeAccount = { bootstrap: 30, unreservedConcurrency: 1000 };
const signedIn = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'eu-north-1' };

const { kmsKeyArn, formerKmsKeyArn, domainName, certificateArn } = mostSettings;
const plans = {
  default: {},
  small: { deliverConcurrency: '2', slowConcurrency: '2' },
  fixed: { egressAddresses: '2' },
  elsewhere: { kmsKeyArn, formerKmsKeyArn, domainName, certificateArn },
  front: { domainName, certificateArn, ...frontDoorSettings },
};
/** The settings of that plan: the stub below takes this word for them. */
const choose = (plan: keyof typeof plans) => ['-c', `plan=${plan}`] as const;

// In place of the CDK's command line: a synth gives the assembly that was made before, and what it is asked is written down.
const stub = `#!${process.execPath}
const { appendFileSync, cpSync } = require('node:fs');
const args = process.argv.slice(2);
appendFileSync(process.env.CALLS, JSON.stringify(args) + '\\n');
if (args[0] === 'synth') {
  const plan = args.map((arg) => /^plan=(\\w+)$/.exec(arg)?.[1]).find(Boolean) ?? 'default';
  cpSync('${folder}/' + plan, args[args.indexOf('--output') + 1], { recursive: true });
}
process.exit(args[0] === 'deploy' && args.includes('fail=1') ? 3 : 0);
`;

beforeAll(async () => {
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'home'));
  writeFileSync(join(folder, 'bin', 'cdk'), stub, { mode: 0o755 });
  await Promise.all(Object.entries(plans).map(([plan, settings]) => writeAssembly(join(folder, plan), settings)));
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
      /10 functions at once .* needs 19 \(deliveries 5, slow 10.*L-B99A9384/,
    ],
  ] as const)('refuses %s, says what to do and touches nothing', async (_, account, environment, message) => {
    const { code, said, ran } = await deploy(account, [], environment);

    expect(said).toMatch(message);
    expect(code).toBe(1);
    expect(ran.map(([command]) => command)).not.toContain('deploy');
  });

  // It said that ten fit, and counted one shard of the stream's four and no roll-up.
  test.concurrent("starts with a new account's concurrency for the smallest bounds, and says what will come", async () => {
    const { code, said } = await deploy({ ...ready, unreservedConcurrency: 10 }, choose('small'));

    expect(said).toMatch(/^! .*10 functions at once .*under load.* needs 23 \(.*stream 16.*L-B99A9384/m);
    expect(code).toBe(0);
  });

  // A key elsewhere failed half-way, and left a stack to be removed by hand.
  test.concurrent('refuses a key and a certificate of another region than it deploys to', async () => {
    const there = await deploy(ready, choose('elsewhere'), { ...signedIn, AWS_REGION: 'us-east-1' });
    const elsewhere = await deploy(ready, choose('elsewhere'));
    const ofCloudFront = await deploy(ready, choose('front'));

    expect(there.code).toBe(0);
    expect(elsewhere.code).toBe(1);
    for (const name of ['kmsKeyArn', 'formerKmsKeyArn', 'certificateArn'] as const) {
      expect(elsewhere.said).toMatch(
        new RegExp(`✗ ${mostSettings[name]} \\(.*${name}.*\\): one in eu-north-1 is needed`),
      );
    }
    expect(ofCloudFront.code).toBe(0);
  });

  describe('with fixed addresses', () => {
    const network = { vpcs: 4, addresses: 3, allowed: 5 };

    test.concurrent('goes on where there is room for them', async () => {
      const { code, said, asked } = await deploy({ ...ready, network }, choose('fixed'));

      expect(said).toMatch(/✓ 4 of the 5 VPCs .* 1 more/);
      expect(said).toMatch(/✓ 3 of the 5 Elastic IP addresses .* 2 more/);
      expect(code).toBe(0);
      expect(asked.slice(3).toSorted()).toEqual([
        'cloudformation:ListStackResources',
        'ec2:DescribeAddresses',
        'ec2:DescribeVpcs',
        'servicequotas:GetServiceQuota L-0263D0A3',
        'servicequotas:GetServiceQuota L-F678F1CE',
      ]);
    });

    test.concurrent.each([
      ['VPCs', { ...network, vpcs: 5 }, /✗ 5 of the 5 VPCs .* needs 1 more.*L-F678F1CE/],
      ['addresses', { ...network, addresses: 4 }, /✗ 4 of the 5 Elastic IP addresses .* needs 2 more.*L-0263D0A3/],
      ['VPCs, by default', { ...network, vpcs: 5, isDefault: true }, /✗ 5 of the 5 VPCs/],
    ])('refuses an account that has no room for more %s', async (_, full, message) => {
      const { code, said, ran } = await deploy({ ...ready, network: full }, choose('fixed'));

      expect(said).toMatch(message);
      expect(code).toBe(1);
      expect(ran.map(([command]) => command)).not.toContain('deploy');
    });

    test.concurrent('counts what the stack has already neither against it nor again', async () => {
      const { 'AWS::EC2::VPC': vpcs, 'AWS::EC2::EIP': addresses } = readPlan(join(folder, 'fixed')).network;
      const full = { ...ready, network: { vpcs: 5, addresses: 4, allowed: 5 } };

      const one = await deploy({ ...full, deployed: [...vpcs, ...addresses.slice(1)] }, choose('fixed'));
      const all = await deploy({ ...full, deployed: [...vpcs, ...addresses] }, choose('fixed'));

      expect(one.said).toMatch(/✓ 4 of the 5 Elastic IP addresses .* 1 more/);
      expect(one.said).not.toContain('VPCs');
      expect(all.said).not.toContain('Elastic');
      expect([one.code, all.code]).toEqual([0, 0]);
    });

    test.concurrent('goes on where it may not look, and says so', async () => {
      const blind = { ...network, vpcs: 'UnauthorizedOperation' };

      const { code, said } = await deploy({ ...ready, network: blind }, choose('fixed'));

      expect(said).toMatch(/\? Whether there is room .*ec2:DescribeVpcs/);
      expect(code).toBe(0);
    });
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
    const bounded = (name: string, deliver: number, slow: number) => {
      expect(readPlan(join(folder, name)).concurrency).toEqual({
        deliveries: { start: deliver, load: deliver },
        slow: { start: slow, load: slow },
        // Four shards of a new table, four batches of each.
        stream: { start: 1, load: 16 },
        ticks: { start: 2, load: 2 },
        'an API call': { start: 1, load: 1 },
      });
    };

    bounded('default', 5, 10);
    bounded('small', 2, 2);
    const page = readFileSync(join(root, 'docs/deploying.md'), 'utf8').replaceAll(/\s+/g, ' ');
    const [most, least] = (['default', 'small'] as const).map((name) =>
      Object.values(readPlan(join(folder, name)).concurrency).reduce((sum, { load }) => sum + load, 0),
    );
    expect(page).toContain(`so ${most} with the default bounds and ${least} with the smallest`);
  });
});
