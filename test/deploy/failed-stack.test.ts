import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { useDeployCommand } from '../helpers/deploy-command.ts';
import type { FakeAccount } from '../helpers/fake-aws.ts';

const ready: FakeAccount = { bootstrap: 30, unreservedConcurrency: 1000 };
const skipped = [
  { type: 'AWS::DynamoDB::Table', id: 'passpost-production-storagedomaintable-1' },
  { type: 'AWS::SecretsManager::Secret', id: 'arn:aws:secretsmanager:eu-north-1:111122223333:secret:keyring-1' },
  { type: 'AWS::Logs::LogGroup', id: 'passpost-production-deliverlog-1' },
  { type: 'AWS::EC2::EIP', id: '192.0.2.1' },
  { type: 'AWS::Example::Thing', id: 'thing-1' },
];
const failed = { status: 'ROLLBACK_COMPLETE', isProtected: true, skipped } as const;

const { deploy } = useDeployCommand({ default: { stage: 'production' } });
const changes = (calls: readonly string[]) => calls.filter((call) => /Delete|Update/.test(call));

describe('npm run deploy after a first deployment of production failed', () => {
  // CloudFormation can neither update a stack in ROLLBACK_COMPLETE nor delete it while it has termination protection.
  test.concurrent('says that the stack can only be deleted and with which argument, exits with code 1 and changes nothing', async () => {
    const { code, output, calls, ran } = await deploy({ ...ready, stack: failed });

    expect(output).toMatch(
      /✗ The first deployment of passpost-production failed, .* again with --remove-failed-stack\./,
    );
    expect(output.trimEnd().split('\n').at(-1)).toBe('Nothing was deployed.');
    expect(code).toBe(1);
    expect(changes(calls)).toEqual([]);
    expect(ran.map(([command]) => command)).toEqual(['synth']);
  });

  test.concurrent('with --remove-failed-stack turns termination protection off, deletes the stack, waits for the end and deploys', async () => {
    const { code, output, calls, ran } = await deploy({ ...ready, stack: failed }, ['--remove-failed-stack', '--ci']);

    expect(output).toContain('✓ The failed stack was deleted');
    expect(code).toBe(0);
    expect(changes(calls)).toEqual(['cloudformation:UpdateTerminationProtection', 'cloudformation:DeleteStack']);
    expect(calls.slice(-2)).toEqual(['cloudformation:DescribeStacks', 'cloudformation:DescribeStacks']);
    expect(ran.map(([command]) => command)).toEqual(['synth', 'deploy']);
    expect(ran.flat()).not.toContain('--remove-failed-stack');
    expect(ran[1]).toContain('--ci');
  });

  test.concurrent('names each resource that the rollback skipped, with the command that deletes it', async () => {
    const { output } = await deploy({ ...ready, stack: failed });

    expect(output).toMatch(
      /Table passpost-production-storagedomaintable-1 stays .*--no-deletion-protection-enabled --table-name passpost-production-storagedomaintable-1, then aws dynamodb delete-table/,
    );
    expect(output).toMatch(/Secret .*keyring-1 stays .*delete-secret .*--secret-id arn:.*keyring-1/);
    expect(output).toMatch(/LogGroup .* stays .*delete-log-group --log-group-name passpost-production-deliverlog-1/);
    expect(output).toMatch(/EIP 192\.0\.2\.1 stays .*--public-ips 192\.0\.2\.1 .*release-address/);
    expect(output).toMatch(/Thing thing-1 stays .*in the console/);
    expect(output).not.toContain('role-1');
  });

  test.concurrent('exits with code 1 and does not run cdk deploy if CloudFormation cannot delete the failed stack', async () => {
    const stack = { ...failed, endsIn: 'DELETE_FAILED' };

    const { code, output, ran } = await deploy({ ...ready, stack }, ['--remove-failed-stack']);

    expect(output).toContain('✗ The failed stack was not deleted (DELETE_FAILED)');
    expect(code).toBe(1);
    expect(ran.map(([command]) => command)).toEqual(['synth']);
  });

  test.concurrent('with --remove-failed-stack deletes nothing if another check refuses the deployment', async () => {
    const { code, calls } = await deploy({ ...ready, bootstrap: null, stack: failed }, ['--remove-failed-stack']);

    expect(code).toBe(1);
    expect(changes(calls)).toEqual([]);
  });

  test.concurrent.each([
    ['UPDATE_ROLLBACK_COMPLETE', true, 0],
    ['CREATE_COMPLETE', true, 0],
    // The CDK deletes a failed stack without termination protection by itself.
    ['ROLLBACK_COMPLETE', false, 0],
    ['ROLLBACK_FAILED', true, 1],
  ])(
    'with --remove-failed-stack deletes no stack in %s with termination protection %s',
    async (status, isProtected, exit) => {
      const { code, calls } = await deploy({ ...ready, stack: { status, isProtected } }, ['--remove-failed-stack']);

      expect(changes(calls)).toEqual([]);
      expect(code).toBe(exit);
    },
  );

  test.concurrent('makes only calls that the policy of docs/deploying.md, section Without a terminal, allows', async () => {
    const page = readFileSync(new URL('../../docs/deploying.md', import.meta.url), 'utf8');
    const [section = ''] = /(?<=## Without a terminal)[\s\S]*?(?=\n## )/.exec(page) ?? [];
    const allowed = [...section.matchAll(/```json\n([\s\S]*?)```/g)]
      .flatMap(([, text = '']) => JSON.parse(text).Statement)
      .flatMap(({ Action }) => Action);

    const { calls } = await deploy({ ...ready, stack: failed }, ['--remove-failed-stack']);

    // AWS lets everybody call GetCallerIdentity.
    const made = calls.map((call) => call.split(' ')[0]).filter((call) => call !== 'sts:GetCallerIdentity');
    expect(made.length).toBeGreaterThan(5);
    expect(made.filter((call) => !allowed.includes(call))).toEqual([]);
  });
});
