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

describe('judge', () => {
  it('reports nothing when roles allow exactly the calls that were made', () => {
    expect(judge([aStatement()], [aUse()], [])).toEqual({ lacks: [], surpluses: [], idleExceptions: [] });
  });

  it.each<[string, Partial<Use>]>([
    ['another function', { functionName: 'jobs-api' }],
    ['another action', { action: 'dynamodb:PutItem' }],
    ['another resource', { resource: 'delivery-table' }],
    ['an index of the table', { resource: 'domain-table/index/list' }],
    ['a leading key that is not allowed', { leadingKeys: ['J#job_…'] }],
    ['several leading keys of which one is not allowed', { leadingKeys: ['T#tsk_…', 'J#job_…'] }],
  ])('reports a lack for a call with %s', (_, over) => {
    expect(judge([aStatement()], [aUse(), aUse(over)], []).lacks).toHaveLength(1);
  });

  it.each<[string, Partial<Statement>]>([
    ['action', { actions: ['dynamodb:GetItem', 'dynamodb:PutItem'] }],
    ['resource', { resources: ['domain-table', 'delivery-table'] }],
    ['key pattern', { leadingKeys: ['T#*', 'J#*'] }],
  ])('reports an unused %s as a surplus', (_, over) => {
    expect(judge([aStatement(over)], [aUse()], []).surpluses).toHaveLength(1);
  });

  it('allows a call without leading keys under any condition on leading keys', () => {
    expect(judge([aStatement()], [aUse({ leadingKeys: [] })], []).lacks).toEqual([]);
  });

  it('reports a lack when no single statement covers all leading keys of a call', () => {
    const statements = [aStatement(), aStatement({ leadingKeys: ['J#*'] })];

    expect(judge(statements, [aUse({ leadingKeys: ['T#tsk_…', 'J#job_…'] })], []).lacks).toHaveLength(1);
  });

  it('reports a lack for a call that is allowed and denied', () => {
    const denied = aStatement({ effect: 'Deny', leadingKeys: null });

    expect(judge([aStatement(), denied], [aUse()], []).lacks).toHaveLength(1);
    expect(judge([aStatement(), { ...denied, functionName: 'jobs-api' }], [aUse()], []).lacks).toEqual([]);
  });

  it('requires a call to come through the service that the statement names', () => {
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

  it('names function, action and resource, and for a surplus the statement', () => {
    const { lacks, surpluses } = judge([aStatement()], [aUse({ resource: 'delivery-table' })], []);

    expect(lacks).toEqual(['tasks-api: dynamodb:GetItem on delivery-table of T#tsk_…']);
    expect(surpluses).toEqual(['tasks-api: dynamodb:GetItem on domain-table of T#* (policy, statement 1)']);
  });

  it('accepts a surplus that an exception covers, and reports an exception that covers none', () => {
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
  ])('isLike of %j and the pattern %j is %s', (value, pattern, expected) => {
    expect(isLike(value, pattern)).toBe(expected);
  });
});
