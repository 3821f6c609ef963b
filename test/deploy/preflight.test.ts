import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPlan } from '../../deploy/plan.ts';
import { signedIn, useDeployCommand } from '../helpers/deploy-command.ts';
import type { FakeAccount } from '../helpers/fake-aws.ts';
import { frontDoorSettings, mostSettings } from '../helpers/settings.ts';

const root = new URL('../..', import.meta.url);
const ready: FakeAccount = { bootstrap: 30, unreservedConcurrency: 1000 };

const { kmsKeyArn, formerKmsKeyArn, domainName, certificateArn } = mostSettings;
const plans = {
  default: {},
  small: { deliverConcurrency: '2', slowConcurrency: '2' },
  fixed: { egressAddresses: '2' },
  elsewhere: { kmsKeyArn, formerKmsKeyArn, domainName, certificateArn },
  front: { domainName, certificateArn, ...frontDoorSettings },
};
const { folder, choose, deploy } = useDeployCommand(plans);

describe('npm run deploy', () => {
  test.concurrent('for an account that passes all checks, makes four AWS calls, runs cdk synth and cdk deploy -c stage=production, and exits with code 0', async () => {
    const { code, output, calls, ran } = await deploy(ready);

    expect(code).toBe(0);
    expect(ran.map(([command]) => command)).toEqual(['synth', 'deploy']);
    expect(ran[1]).toEqual(['deploy', '-c', 'stage=production']);
    expect(output).toContain('Checking the account 111122223333 in eu-north-1.');
    // The checks make only these four calls.
    expect(calls[0]).toBe('sts:GetCallerIdentity');
    expect(calls.toSorted()).toEqual([
      'cloudformation:DescribeStacks',
      'lambda:GetAccountSettings',
      'ssm:GetParameter /cdk-bootstrap/hnb659fds/version',
      'sts:GetCallerIdentity',
    ]);
  });

  test.concurrent('passes all its arguments to cdk deploy, and only the settings (-c, --context) to cdk synth', async () => {
    const args = ['-c', 'stage=test', '--context=retentionDays=7', '--require-approval', 'never'];

    const { ran } = await deploy(ready, args);

    expect(ran[0]?.slice(-4)).toEqual(['-c', 'stage=test', '-c', 'retentionDays=7']);
    expect(ran[1]).toEqual(['deploy', ...args]);
  });

  test.concurrent('exits with code 3 when cdk deploy exits with code 3', async () => {
    const { code } = await deploy(ready, ['-c', 'fail=1']);

    expect(code).toBe(3);
  });

  test.concurrent.each([
    ['no credentials', ready, { AWS_REGION: 'eu-north-1' }, /no AWS credentials: set AWS_PROFILE/],
    ['no region', ready, { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' }, /No region is chosen: set AWS_REGION/],
    ['expired credentials', { ...ready, identityError: 'ExpiredToken' }, signedIn, /refuses these.*sign in again/],
    [
      'an account that is not bootstrapped',
      { ...ready, bootstrap: null },
      signedIn,
      /run npx cdk bootstrap aws:\/\/1{4}2{4}3{4}\/eu-north-1/,
    ],
    [
      'an account with version 5 of the bootstrap, which is too old',
      { ...ready, bootstrap: 5 },
      signedIn,
      /version 5, but version \d+ is needed: run npx cdk bootstrap/,
    ],
    [
      'an account with a quota of 10 concurrent executions',
      { ...ready, unreservedConcurrency: 10 },
      signedIn,
      /allows 10 unreserved .* needs 19 \(deliveries 5, slow 10.*L-B99A9384/,
    ],
  ] as const)(
    'with %s, prints the remedy, exits with code 1 and does not run cdk deploy',
    async (_, account, environment, message) => {
      const { code, output, ran } = await deploy(account, [], environment);

      expect(output).toMatch(message);
      expect(code).toBe(1);
      expect(ran.map(([command]) => command)).not.toContain('deploy');
    },
  );

  // An earlier check gave no warning for a quota of ten: it counted one stream shard instead of four and left out the roll-up.
  test.concurrent('for a quota of 10 concurrent executions and maximums of 2, warns that the load needs 23, and exits with code 0', async () => {
    const { code, output } = await deploy({ ...ready, unreservedConcurrency: 10 }, choose('small'));

    expect(output).toMatch(/^! .*10 unreserved .*under load.* needs 23 \(.*stream 16.*L-B99A9384/m);
    expect(code).toBe(0);
  });

  // Before this check, a key in another region made the deployment fail half-way, and people had to delete the stack by hand.
  test.concurrent('exits with code 1 and names each KMS key and certificate that is not in the stack’s region, except a certificate for CloudFront', async () => {
    const sameRegion = await deploy(ready, choose('elsewhere'), { ...signedIn, AWS_REGION: 'us-east-1' });
    const elsewhere = await deploy(ready, choose('elsewhere'));
    const cloudFront = await deploy(ready, choose('front'));

    expect(sameRegion.code).toBe(0);
    expect(elsewhere.code).toBe(1);
    for (const name of ['kmsKeyArn', 'formerKmsKeyArn', 'certificateArn'] as const) {
      expect(elsewhere.output).toMatch(
        new RegExp(`✗ ${mostSettings[name]} \\(.*${name}.*\\) is in another region: .* deployed to eu-north-1`),
      );
    }
    expect(cloudFront.code).toBe(0);
  });

  describe('with the setting egressAddresses=2', () => {
    const network = { vpcs: 4, addresses: 3, allowed: 5 };

    test.concurrent('exits with code 0 and reports room for 1 VPC and 2 Elastic IP addresses when 4 of 5 VPCs and 3 of 5 addresses are used', async () => {
      const { code, output, calls } = await deploy({ ...ready, network }, choose('fixed'));

      expect(output).toMatch(/✓ .* 4 of the 5 VPCs .* 1 more/);
      expect(output).toMatch(/✓ .* 3 of the 5 Elastic IP addresses .* 2 more/);
      expect(code).toBe(0);
      expect(calls.slice(4).toSorted()).toEqual([
        'cloudformation:ListStackResources',
        'ec2:DescribeAddresses',
        'ec2:DescribeVpcs',
        'servicequotas:GetServiceQuota L-0263D0A3',
        'servicequotas:GetServiceQuota L-F678F1CE',
      ]);
    });

    test.concurrent.each([
      ['5 of 5 VPCs are used', { ...network, vpcs: 5 }, /✗ .* 5 of the 5 VPCs .* needs 1 more.*L-F678F1CE/],
      [
        '4 of 5 Elastic IP addresses are used',
        { ...network, addresses: 4 },
        /✗ .* 4 of the 5 Elastic IP addresses .* needs 2 more.*L-0263D0A3/,
      ],
      [
        '5 of 5 VPCs are used and the quota is the default',
        { ...network, vpcs: 5, isDefault: true },
        /✗ .* 5 of the 5 VPCs/,
      ],
    ])('reports that %s, exits with code 1 and does not run cdk deploy', async (_, full, message) => {
      const { code, output, ran } = await deploy({ ...ready, network: full }, choose('fixed'));

      expect(output).toMatch(message);
      expect(code).toBe(1);
      expect(ran.map(([command]) => command)).not.toContain('deploy');
    });

    test.concurrent('counts only the VPC and addresses that the stack lacks, so it exits with code 0 when 5 of 5 VPCs and 4 of 5 addresses are used', async () => {
      const { 'AWS::EC2::VPC': vpcs, 'AWS::EC2::EIP': addresses } = readPlan(join(folder, 'fixed')).network;
      const full = { ...ready, network: { vpcs: 5, addresses: 4, allowed: 5 } };

      const lacksAddress = await deploy({ ...full, deployed: [...vpcs, ...addresses.slice(1)] }, choose('fixed'));
      const complete = await deploy({ ...full, deployed: [...vpcs, ...addresses] }, choose('fixed'));

      expect(lacksAddress.output).toMatch(/✓ .* 4 of the 5 Elastic IP addresses .* 1 more/);
      expect(lacksAddress.output).not.toContain('VPCs');
      expect(complete.output).not.toContain('Elastic');
      expect([lacksAddress.code, complete.code]).toEqual([0, 0]);
    });

    test.concurrent('exits with code 0 and reports unknown quotas when the credentials may not call ec2:DescribeVpcs', async () => {
      const unreadable = { ...network, vpcs: 'UnauthorizedOperation' };

      const { code, output } = await deploy({ ...ready, network: unreadable }, choose('fixed'));

      expect(output).toMatch(/\? It is unknown whether the quotas have room .*ec2:DescribeVpcs/);
      expect(code).toBe(0);
    });
  });

  test.concurrent('exits with code 0 and reports two unknown checks when the credentials may not call ssm:GetParameter and lambda:GetAccountSettings', async () => {
    const { code, output } = await deploy({
      bootstrap: 'AccessDeniedException',
      unreservedConcurrency: 'AccessDeniedException',
    });

    expect(code).toBe(0);
    expect(output).toMatch(/\? It is unknown whether eu-north-1 is bootstrapped.*ssm:GetParameter/);
    expect(output).toMatch(/\? It is unknown whether Lambda allows .*lambda:GetAccountSettings/);
  });

  test('readPlan counts the concurrency of the default and the smallest settings from the template, and docs/deploying.md states both sums', () => {
    const expectConcurrency = (name: string, deliver: number, slow: number) => {
      expect(readPlan(join(folder, name)).concurrency).toEqual({
        deliveries: { start: deliver, load: deliver },
        slow: { start: slow, load: slow },
        // A new table has four shards, and Lambda processes four batches of each.
        stream: { start: 1, load: 16 },
        ticks: { start: 2, load: 2 },
        'an API call': { start: 1, load: 1 },
      });
    };

    expectConcurrency('default', 5, 10);
    expectConcurrency('small', 2, 2);
    const page = readFileSync(new URL('docs/deploying.md', root), 'utf8').replaceAll(/\s+/g, ' ');
    const [most, least] = (['default', 'small'] as const).map((name) =>
      Object.values(readPlan(join(folder, name)).concurrency).reduce((sum, { load }) => sum + load, 0),
    );
    expect(page).toContain(`so ${most} with the default bounds and ${least} with the smallest`);
  });
});
