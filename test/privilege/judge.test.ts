import { describe, expect, it } from 'vitest';
import { type Exception, isLike, judge } from './judge.ts';
import type { Statement } from './statements.ts';
import type { Use } from './uses.ts';

const aStatement = (over: Partial<Statement> = {}): Statement => ({
  functionName: 'tasks-api',
  effect: 'Allow',
  place: 'policy, statement 1',
  actions: ['dynamodb:GetItem'],
  resources: ['domain-table'],
  leadingKeys: ['T#*'],
  through: null,
  ...over,
});
const aUse = (over: Partial<Use> = {}): Use => ({
  functionName: 'tasks-api',
  action: 'dynamodb:GetItem',
  resource: 'domain-table',
  leadingKeys: ['T#tsk_…'],
  ...over,
});

describe('judge(), which compares roles with calls', () => {
  it('reports no lack, no surplus and no idle exception if the role allows exactly the call that was made', () => {
    expect(judge([aStatement()], [aUse()], [])).toEqual({ lacks: [], surpluses: [], idleExceptions: [] });
  });

  it.each<[string, Partial<Use>]>([
    ['another function', { functionName: 'jobs-api' }],
    ['another action', { action: 'dynamodb:PutItem' }],
    ['another resource', { resource: 'delivery-table' }],
    ['an index of the table as resource', { resource: 'domain-table/index/list' }],
    ['a leading key that is not allowed', { leadingKeys: ['J#job_…'] }],
    ['two leading keys of which one is not allowed', { leadingKeys: ['T#tsk_…', 'J#job_…'] }],
  ])('reports one lack if one call is allowed and a second call has %s', (_, over) => {
    expect(judge([aStatement()], [aUse(), aUse(over)], []).lacks).toHaveLength(1);
  });

  it.each<[string, Partial<Statement>]>([
    ['action', { actions: ['dynamodb:GetItem', 'dynamodb:PutItem'] }],
    ['resource', { resources: ['domain-table', 'delivery-table'] }],
    ['key pattern', { leadingKeys: ['T#*', 'J#*'] }],
  ])('reports one surplus if the role allows one more %s, which no call used', (_, over) => {
    expect(judge([aStatement(over)], [aUse()], []).surpluses).toHaveLength(1);
  });

  it('reports no lack for a call without leading keys although the statement requires leading keys T#*', () => {
    expect(judge([aStatement()], [aUse({ leadingKeys: [] })], []).lacks).toEqual([]);
  });

  it('reports one lack for a call with two leading keys if two statements allow one of them each', () => {
    const statements = [aStatement(), aStatement({ leadingKeys: ['J#*'] })];

    expect(judge(statements, [aUse({ leadingKeys: ['T#tsk_…', 'J#job_…'] })], []).lacks).toHaveLength(1);
  });

  it('reports one lack for a call that is both allowed and denied, and none if another function is denied', () => {
    const denied = aStatement({ effect: 'Deny', leadingKeys: null });

    expect(judge([aStatement(), denied], [aUse()], []).lacks).toHaveLength(1);
    expect(judge([aStatement(), { ...denied, functionName: 'jobs-api' }], [aUse()], []).lacks).toEqual([]);
  });

  it('a statement or exception that names the service sqs covers calls and permissions through sqs only', () => {
    const through = aStatement({ through: 'sqs' });
    const exception = { functionName: '*', actions: ['dynamodb:GetItem'], resource: '*', reason: '' };

    expect(judge([through], [aUse({ through: 'sqs' })], [])).toMatchObject({ lacks: [], surpluses: [] });
    expect(judge([through], [aUse({ through: 'dynamodb' })], [])).toEqual({
      lacks: ['tasks-api: dynamodb:GetItem on domain-table of T#tsk_… through dynamodb'],
      surpluses: ['tasks-api: dynamodb:GetItem on domain-table of T#* through sqs (policy, statement 1)'],
      idleExceptions: [],
    });
    expect(judge([through], [], [exception]).surpluses).toHaveLength(1);
    expect(judge([through], [], [{ ...exception, through: 'sqs' }]).surpluses).toEqual([]);
  });

  it('a lack names function, action, resource and leading key; a surplus also names the policy statement', () => {
    const { lacks, surpluses } = judge([aStatement()], [aUse({ resource: 'delivery-table' })], []);

    expect(lacks).toEqual(['tasks-api: dynamodb:GetItem on delivery-table of T#tsk_…']);
    expect(surpluses).toEqual(['tasks-api: dynamodb:GetItem on domain-table of T#* (policy, statement 1)']);
  });

  it('does not report a surplus that an exception covers, and reports an exception that covers no surplus as idle', () => {
    const exception: Exception = {
      functionName: '*',
      actions: ['dynamodb:GetItem'],
      resource: 'domain-*',
      reason: 'no test makes this call',
    };

    expect(judge([aStatement()], [], [exception])).toMatchObject({ surpluses: [], idleExceptions: [] });
    expect(judge([aStatement()], [aUse()], [exception]).idleExceptions).toEqual(['*: dynamodb:GetItem on domain-*']);
  });

  it.each([
    ['T#tsk_…', 'T#*', true],
    ['XT#tsk_…', 'T#*', false],
    ['a.b', 'a.b', true],
    ['axb', 'a.b', false],
    ['domain-table', 'domain-tabl?', true],
    ['', '*', true],
  ])('isLike (IAM StringLike) of the value %j and the pattern %j is %s', (value, pattern, expected) => {
    expect(isLike(value, pattern)).toBe(expected);
  });
});
