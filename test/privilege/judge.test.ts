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

describe('the judge of roles', () => {
  it('is content when everything called is allowed and everything allowed is called', () => {
    expect(judge([aStatement()], [aUse()], [])).toEqual({ lacks: [], surpluses: [], idleExceptions: [] });
  });

  it.each<[string, Partial<Use>]>([
    ['another function', { functionName: 'jobs-api' }],
    ['another action', { action: 'dynamodb:PutItem' }],
    ['another resource', { resource: 'delivery-table' }],
    ['an index of the table', { resource: 'domain-table/index/list' }],
    ['another leading key', { leadingKeys: ['J#job_…'] }],
    ['one leading key of several', { leadingKeys: ['T#tsk_…', 'J#job_…'] }],
  ])('finds a lack by %s', (_, over) => {
    expect(judge([aStatement()], [aUse(), aUse(over)], []).lacks).toHaveLength(1);
  });

  it.each<[string, Partial<Statement>]>([
    ['action', { actions: ['dynamodb:GetItem', 'dynamodb:PutItem'] }],
    ['resource', { resources: ['domain-table', 'delivery-table'] }],
    ['pattern of keys', { leadingKeys: ['T#*', 'J#*'] }],
  ])('finds a surplus %s', (_, over) => {
    expect(judge([aStatement(over)], [aUse()], []).surpluses).toHaveLength(1);
  });

  it('takes a call without leading keys as meeting any condition on them', () => {
    expect(judge([aStatement()], [aUse({ leadingKeys: [] })], []).lacks).toEqual([]);
  });

  it('allows a call whose keys are allowed by no one statement alone to none', () => {
    const apart = [aStatement(), aStatement({ leadingKeys: ['J#*'] })];

    expect(judge(apart, [aUse({ leadingKeys: ['T#tsk_…', 'J#job_…'] })], []).lacks).toHaveLength(1);
  });

  it('finds a lack in what is allowed and denied', () => {
    const denied = aStatement({ effect: 'Deny', leadingKeys: null });

    expect(judge([aStatement(), denied], [aUse()], []).lacks).toHaveLength(1);
    expect(judge([aStatement(), { ...denied, functionName: 'jobs-api' }], [aUse()], []).lacks).toEqual([]);
  });

  it('holds a call to the service that it must come through', () => {
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

  it('says who may not do what with what, and where a surplus stands', () => {
    const { lacks, surpluses } = judge([aStatement()], [aUse({ resource: 'delivery-table' })], []);

    expect(lacks).toEqual(['tasks-api: dynamodb:GetItem on delivery-table of T#tsk_…']);
    expect(surpluses).toEqual(['tasks-api: dynamodb:GetItem on domain-table of T#* (policy, statement 1)']);
  });

  it('excuses a surplus with its reason, and finds a reason that excuses nothing', () => {
    const exception: Exception = {
      functionName: '*',
      actions: ['dynamodb:GetItem'],
      resource: 'domain-*',
      reason: 'nobody calls it here',
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
  ])('%s is like %s: %s', (value, pattern, expected) => {
    expect(isLike(value, pattern)).toBe(expected);
  });
});
