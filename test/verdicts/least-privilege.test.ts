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

// Runs when all other files are done (vitest.config.ts), over what their functions called.

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

/** The stack with the statements of one function's role changed. */
const withStatements = (name: string, change: (all: readonly PolicyStatement[]) => readonly unknown[]): Assembly => {
  const policy = resourcesOf(assembly, 'AWS::IAM::Policy').find((one) => one.logicalId.includes(name));
  if (!policy) throw new Error(`There is no policy of ${name}`);
  const { Statement } = policy.properties.PolicyDocument as { Statement: readonly PolicyStatement[] };
  const properties = { ...policy.properties, PolicyDocument: { Statement: change(Statement) } };
  const resources = new Map([...assembly.resources, [policy.logicalId, { ...policy, properties }] as const]);
  return { ...assembly, resources };
};

it('every role allows what its function called in this run', () => {
  expect(judge(statementsOf(assembly), uses, exceptions).lacks).toEqual([]);
});

// A few files use only a few permissions.
it.runIf(isWholeRun())('no role allows what its function did not use in this run, but for the exceptions', () => {
  const { surpluses, idleExceptions } = judge(statementsOf(assembly), uses, exceptions);

  expect(surpluses).toEqual([]);
  expect(idleExceptions).toEqual([]);
});

it.runIf(isWholeRun())('a planted surplus is seen', () => {
  const table = resourcesOf(assembly, 'AWS::DynamoDB::Table')[0]?.logicalId;
  const planted = withStatements('deliverrole', (all) => [
    ...all,
    { Effect: 'Allow', Action: 'dynamodb:DeleteItem', Resource: { 'Fn::GetAtt': [table, 'Arn'] } },
  ]);

  expect(judge(statementsOf(planted), uses, exceptions).surpluses).toEqual([
    expect.stringMatching(/^deliver: dynamodb:DeleteItem on domain-table \(\w+, statement \d+\)$/),
  ]);
});

it.runIf(isWholeRun())('a planted lack is seen', () => {
  const planted = withStatements('deliverrole', (all) =>
    all.filter(({ Action }) => Action !== 'secretsmanager:GetSecretValue'),
  );

  expect(judge(statementsOf(planted), uses, exceptions).lacks).toEqual([
    'deliver: secretsmanager:GetSecretValue on keyring',
  ]);
});

// With a customer's key every call of a table asks for it, too.
it.runIf(isWholeRun())('a planted lack of a use of the key is seen', () => {
  const planted = withStatements('duerole', (all) => all.filter(({ Action }) => !Action.includes('kms:DescribeKey')));

  expect(judge(statementsOf(planted), uses, exceptions).lacks).toEqual(
    keys.map((key) => `due: kms:Decrypt on ${key} through dynamodb`).toSorted(),
  );
});
