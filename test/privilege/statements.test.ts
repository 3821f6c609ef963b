import { expect, it } from 'vitest';
import type { Assembly } from '../../local/template/template.ts';
import { statementsOf } from './statements.ts';

const resource = (logicalId: string, type: string, properties: Record<string, unknown> = {}, name = logicalId) =>
  [logicalId, { logicalId, type, properties, name }] as const;

const table = { 'Fn::GetAtt': ['Table1', 'Arn'] };
const aStatement = { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: table };

/** A stack with one function that has one role with one policy. */
const aStack = (statement: object, more: readonly ReturnType<typeof resource>[] = []): Assembly => ({
  stackName: 'stack',
  outputs: {},
  bundle: () => '',
  resources: new Map([
    resource('Table1', 'AWS::DynamoDB::Table', {}, 'domain-table'),
    resource('Role1', 'AWS::IAM::Role', {}, 'deliver-role'),
    resource('Deliver1', 'AWS::Lambda::Function', { Role: { 'Fn::GetAtt': ['Role1', 'Arn'] } }, 'deliver'),
    resource('Policy1', 'AWS::IAM::Policy', {
      Roles: [{ Ref: 'Role1' }],
      PolicyDocument: { Statement: [statement] },
    }),
    ...more,
  ]),
});

it('reads a statement with resources by their names', () => {
  const Resource = [table, { 'Fn::Join': ['', [table, '/index/list']] }, { 'Fn::GetAtt': ['Table1', 'StreamArn'] }];
  const Condition = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['A#*', 'E#*'] } };

  expect(statementsOf(aStack({ ...aStatement, Resource, Condition }))).toEqual([
    {
      functionName: 'deliver',
      effect: 'Allow',
      place: 'Policy1, statement 1',
      actions: ['dynamodb:GetItem'],
      resources: ['domain-table', 'domain-table/index/list', 'domain-table/stream'],
      leadingKeys: ['A#*', 'E#*'],
      through: null,
    },
  ]);
});

const itsCode = { ArnEquals: { 'lambda:SourceFunctionArn': { 'Fn::GetAtt': ['Deliver1', 'Arn'] } } };
const host = (service: string) => ({ 'Fn::Join': ['.', [service, { Ref: 'AWS::Region' }, { Ref: 'AWS::URLSuffix' }]] });

it('reads what is denied to the code that runs under the role', () => {
  const [statement] = statementsOf(aStack({ ...aStatement, Effect: 'Deny', Condition: itsCode }));

  expect(statement).toMatchObject({ effect: 'Deny', actions: ['dynamodb:GetItem'], leadingKeys: null, through: null });
});

it('reads through which service a key may be used', () => {
  const Condition = { StringEquals: { 'kms:ViaService': host('sqs') } };
  const [statement] = statementsOf(aStack({ ...aStatement, Action: 'kms:Decrypt', Condition }));

  expect(statement).toMatchObject({ actions: ['kms:Decrypt'], through: 'sqs' });
});

it.each([
  ['an operator', { Condition: { StringNotLike: { 'dynamodb:LeadingKeys': ['A#*'] } } }, 'StringNotLike'],
  ['a key', { Condition: { 'ForAllValues:StringLike': { 'dynamodb:Attributes': ['a'] } } }, 'dynamodb:Attributes'],
  ['a denial to everybody', { Effect: 'Deny' }, 'Deny'],
  [
    'a denial to the code of another function',
    { Effect: 'Deny', Condition: { ArnEquals: { 'lambda:SourceFunctionArn': table } } },
    'lambda:SourceFunctionArn domain-table',
  ],
  ['an allowance to its code alone', { Condition: itsCode }, 'Allow ArnEquals lambda:SourceFunctionArn'],
  ['two conditions', { Condition: { ...itsCode, StringEquals: { 'kms:ViaService': host('sqs') } } }, 'not understood'],
  [
    'a service elsewhere',
    { Condition: { StringEquals: { 'kms:ViaService': 'sqs.eu-north-1.amazonaws.com' } } },
    'sqs.eu',
  ],
  ['a negation', { NotAction: 'dynamodb:PutItem' }, 'NotAction'],
  ['an action with a wildcard', { Action: 'dynamodb:*' }, 'dynamodb:*'],
])('refuses to judge %s that it does not know', (_, over, said) => {
  expect(() => statementsOf(aStack({ ...aStatement, ...over }))).toThrow(said);
});

it.each([
  ['a role of nobody', resource('Role2', 'AWS::IAM::Role')],
  ['a managed policy', resource('Managed', 'AWS::IAM::ManagedPolicy')],
  ['a policy inside a role', resource('Role1', 'AWS::IAM::Role', { Policies: [{}] }, 'deliver-role')],
])('refuses to judge a stack with %s', (_, more) => {
  expect(() => statementsOf(aStack(aStatement, [more]))).toThrow();
});
