import { expect, it } from 'vitest';
import type { Assembly } from '../../local/template/template.ts';
import { statementsOf } from './statements.ts';

const resource = (logicalId: string, type: string, properties: Record<string, unknown> = {}, name = logicalId) =>
  [logicalId, { logicalId, type, properties, name }] as const;

const table = { 'Fn::GetAtt': ['Table1', 'Arn'] };
const aStatement = { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: table };

/** A stack with one function, whose role has one policy with this statement. */
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

it('statementsOf returns function, actions and leading keys of a statement, and its resources by construct name', () => {
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

const ownCode = { ArnEquals: { 'lambda:SourceFunctionArn': { 'Fn::GetAtt': ['Deliver1', 'Arn'] } } };
const host = (service: string) => ({ 'Fn::Join': ['.', [service, { Ref: 'AWS::Region' }, { Ref: 'AWS::URLSuffix' }]] });

it("statementsOf reads a Deny whose only condition is that the function's own code makes the call", () => {
  const [statement] = statementsOf(aStack({ ...aStatement, Effect: 'Deny', Condition: ownCode }));

  expect(statement).toMatchObject({ effect: 'Deny', actions: ['dynamodb:GetItem'], leadingKeys: null, through: null });
});

it('statementsOf reads the service sqs from a kms:ViaService condition', () => {
  const Condition = { StringEquals: { 'kms:ViaService': host('sqs') } };
  const [statement] = statementsOf(aStack({ ...aStatement, Action: 'kms:Decrypt', Condition }));

  expect(statement).toMatchObject({ actions: ['kms:Decrypt'], through: 'sqs' });
});

it.each([
  [
    'a condition with the unknown operator StringNotLike',
    { Condition: { StringNotLike: { 'dynamodb:LeadingKeys': ['A#*'] } } },
    'StringNotLike',
  ],
  [
    'a condition with the unknown key dynamodb:Attributes',
    { Condition: { 'ForAllValues:StringLike': { 'dynamodb:Attributes': ['a'] } } },
    'dynamodb:Attributes',
  ],
  ['a denial without a condition', { Effect: 'Deny' }, 'Deny'],
  [
    'a denial for the code of another function',
    { Effect: 'Deny', Condition: { ArnEquals: { 'lambda:SourceFunctionArn': table } } },
    'lambda:SourceFunctionArn domain-table',
  ],
  ["an Allow for the function's own code only", { Condition: ownCode }, 'Allow ArnEquals lambda:SourceFunctionArn'],
  [
    'a statement with two conditions',
    { Condition: { ...ownCode, StringEquals: { 'kms:ViaService': host('sqs') } } },
    'not supported',
  ],
  [
    'a kms:ViaService condition with a fixed region',
    { Condition: { StringEquals: { 'kms:ViaService': 'sqs.eu-north-1.amazonaws.com' } } },
    'sqs.eu',
  ],
  ['a statement with NotAction', { NotAction: 'dynamodb:PutItem' }, 'NotAction'],
  ['an action with a wildcard', { Action: 'dynamodb:*' }, 'dynamodb:*'],
])('statementsOf throws an error that names the problem for %s', (_, over, message) => {
  expect(() => statementsOf(aStack({ ...aStatement, ...over }))).toThrow(message);
});

it.each([
  ['a role that no function has', resource('Role2', 'AWS::IAM::Role')],
  ['a managed policy', resource('Managed', 'AWS::IAM::ManagedPolicy')],
  ['a role with an inline policy', resource('Role1', 'AWS::IAM::Role', { Policies: [{}] }, 'deliver-role')],
])('statementsOf throws for a stack with %s', (_, more) => {
  expect(() => statementsOf(aStack(aStatement, [more]))).toThrow();
});
