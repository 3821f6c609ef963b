import { beforeAll, expect, it } from 'vitest';
import { type Assembly, readAssembly, resourcesOf } from '../../local/template/template.ts';
import { assemblyWith } from '../helpers/assembly.ts';
import { isWholeRun, savedForVerdicts } from '../helpers/run-folder.ts';
import { settingsOfEveryPermission } from '../helpers/settings.ts';
import { exceptions } from '../privilege/exceptions.ts';
import { judge } from '../privilege/judge.ts';
import { keyUses } from '../privilege/key-uses.ts';
import { statementsOf } from '../privilege/statements.ts';
import type { Use } from '../privilege/uses.ts';

// Runs after all other test files (vitest.config.ts) and judges the AWS calls that their functions made.

const called = [...savedForVerdicts<Use>('uses')].flat();
const { kmsKeyArn, formerKmsKeyArn, nextKmsKeyArn } = settingsOfEveryPermission;
const keys = [kmsKeyArn, formerKmsKeyArn, nextKmsKeyArn];
const uses = [...called, ...keys.flatMap((key) => keyUses(called, key))];
let assembly: Assembly;
beforeAll(async () => {
  assembly = readAssembly(await assemblyWith(settingsOfEveryPermission));
});

interface PolicyStatement {
  readonly Action: string | readonly string[];
}

/** The stack with changed statements of one role. */
const withStatements = (name: string, change: (all: readonly PolicyStatement[]) => readonly unknown[]): Assembly => {
  const policy = resourcesOf(assembly, 'AWS::IAM::Policy').find(({ logicalId }) => logicalId.includes(name));
  if (!policy) throw new Error(`The stack has no policy of ${name}`);
  const { Statement } = policy.properties.PolicyDocument as { Statement: readonly PolicyStatement[] };
  const properties = { ...policy.properties, PolicyDocument: { Statement: change(Statement) } };
  const resources = new Map([...assembly.resources, [policy.logicalId, { ...policy, properties }] as const]);
  return { ...assembly, resources };
};

it('every role allows all AWS calls that its function made in this run', () => {
  expect(judge(statementsOf(assembly), uses, exceptions).lacks).toEqual([]);
});

// Only a run of all test files uses all permissions, so a run of fewer files skips these tests.
it.runIf(isWholeRun())(
  'every permission of a role was used in this run or is in exceptions.ts, and every exception is needed',
  () => {
    const { surpluses, idleExceptions } = judge(statementsOf(assembly), uses, exceptions);

    expect(surpluses).toEqual([]);
    expect(idleExceptions).toEqual([]);
  },
);

it.runIf(isWholeRun())(
  'the verdict reports dynamodb:DeleteItem as a surplus if it is added to the role of deliver',
  () => {
    const table = resourcesOf(assembly, 'AWS::DynamoDB::Table')[0]?.logicalId;
    const planted = withStatements('deliverrole', (all) => [
      ...all,
      { Effect: 'Allow', Action: 'dynamodb:DeleteItem', Resource: { 'Fn::GetAtt': [table, 'Arn'] } },
    ]);

    expect(judge(statementsOf(planted), uses, exceptions).surpluses).toEqual([
      expect.stringMatching(/^deliver: dynamodb:DeleteItem on domain-table \(\w+, statement \d+\)$/),
    ]);
  },
);

it.runIf(isWholeRun())(
  'the verdict reports secretsmanager:GetSecretValue as a lack if it is removed from the role of deliver',
  () => {
    const planted = withStatements('deliverrole', (all) =>
      all.filter(({ Action }) => Action !== 'secretsmanager:GetSecretValue'),
    );

    expect(judge(statementsOf(planted), uses, exceptions).lacks).toEqual([
      'deliver: secretsmanager:GetSecretValue on keyring',
    ]);
  },
);

// With a customer's key, every call of a table also uses the key.
it.runIf(isWholeRun())(
  'the verdict reports kms:Decrypt on each of three KMS keys as a lack if it is removed from the role of due',
  () => {
    const planted = withStatements('duerole', (all) => all.filter(({ Action }) => !Action.includes('kms:DescribeKey')));

    expect(judge(statementsOf(planted), uses, exceptions).lacks).toEqual(
      keys.map((key) => `due: kms:Decrypt on ${key} through dynamodb`).toSorted(),
    );
  },
);
