import { describe, expect, test } from 'vitest';
import { partitions, prefixes } from '../../lambdas/adapters/rows/key-names.ts';
import { apiKeyKey, auditKey, eventTypeKey, templateKey, webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { env } from '../../lambdas/runtime/env.ts';
import { assemblyOf, named, synthesise } from '../helpers/synthesised.ts';
import { isLike } from '../privilege/judge.ts';
import { statementsOf } from '../privilege/statements.ts';

const template = synthesise();
const statements = statementsOf(assemblyOf(template)).filter(({ actions }) =>
  actions.some((action) => action.startsWith('dynamodb:')),
);

/** The functions whose roles allow an action on a row of a table. */
const allowedTo = (action: string, table: string, { pk }: { readonly pk: string }): readonly string[] =>
  statements
    .filter(
      ({ actions, resources, leadingKeys }) =>
        actions.includes(`dynamodb:${action}`) &&
        resources.includes(table) &&
        (leadingKeys === null || leadingKeys.some((pattern) => isLike(pk, pattern))),
    )
    .map(({ functionName }) => functionName)
    .toSorted();

const owner = 'acc_01JDB6Q80000000000000000AA#live';
const webhook = webhookKey(owner, 'whk_1');
const audit = auditKey('acc_01JDB6Q80000000000000000AA', '2026-11-22T04:00:29.000Z', 'aud_1');

describe('the permissions on rows', () => {
  // Anybody may make deliver send a request, and these functions need no API key, no account and no sealing key.
  test.each(['deliver', 'fan-out', 'due', 'roll-up'])(
    'the role and the environment of %s do not name the credentials table',
    (name) => {
      const tables = statements
        .filter(({ functionName }) => functionName === name)
        .flatMap(({ resources }) => resources);
      const { Environment } = named(template, 'AWS::Lambda::Function', name).Properties as {
        Environment: { Variables: object };
      };

      expect(tables).not.toEqual([]);
      expect(tables.filter((table) => table.includes('credentials-table') || table === '*')).toEqual([]);
      expect(JSON.stringify(Environment)).not.toContain('credentialstable');
      expect(Object.keys(Environment.Variables)).not.toContain(env.credentialsTable);
    },
  );

  test('every permission on a table, PartiQL statements included, requires partition keys of certain kinds of rows', () => {
    const onTables = statements.filter(({ resources }) => resources.some((resource) => resource.endsWith('-table')));

    expect(onTables.filter(({ leadingKeys }) => !leadingKeys || leadingKeys.includes('*'))).toEqual([]);
    expect(onTables.filter(({ actions }) => actions.some((action) => action.includes('PartiQL')))).toHaveLength(8);
  });

  test('no prefix or partition of one kind of row begins with that of another kind, so a pattern matches only one kind', () => {
    const starts = [...Object.values(prefixes), ...Object.values(partitions)];
    // `F` is a partition of the index `failing` only. No permission on a table names it.
    const inTables = starts.filter((start) => start !== partitions.failing && start !== partitions.accounts);

    expect(new Set(starts).size).toBe(starts.length);
    expect(inTables.filter((start) => inTables.some((other) => other !== start && start.startsWith(other)))).toEqual(
      [],
    );
    // The partition of accounts is named without `*`, so it does not match the partition of their ids.
    expect(isLike(partitions.accountIds, partitions.accounts)).toBe(false);
  });

  test('only catalogue-api may write or delete event types and templates, and it may neither read, write nor delete webhooks', () => {
    for (const row of [eventTypeKey(owner, 'order.paid'), templateKey(owner, 'tpl_1')]) {
      expect(allowedTo('PutItem', 'domain-table', row)).toEqual(['catalogue-api']);
      expect(allowedTo('DeleteItem', 'domain-table', row)).toEqual(['catalogue-api']);
      expect(allowedTo('UpdateItem', 'domain-table', row)).toEqual([]);
    }
    for (const action of [
      'GetItem',
      'BatchGetItem',
      'Query',
      'PutItem',
      'UpdateItem',
      'DeleteItem',
      'BatchWriteItem',
    ]) {
      expect(allowedTo(action, 'domain-table', webhook)).not.toContain('catalogue-api');
    }
  });

  test('no function may delete or update audit entries, and only audit-api may read them', () => {
    for (const action of ['DeleteItem', 'UpdateItem', 'BatchWriteItem', 'PartiQLInsert', 'PartiQLUpdate']) {
      expect(allowedTo(action, 'domain-table', audit)).toEqual([]);
    }
    expect([...allowedTo('Query', 'domain-table', audit), ...allowedTo('GetItem', 'domain-table', audit)]).toEqual([
      'audit-api',
    ]);
  });

  test('only the three functions with calls on webhooks may put and delete webhooks, and only deliver may update them', () => {
    for (const action of ['PutItem', 'DeleteItem']) {
      expect(allowedTo(action, 'domain-table', webhook)).toEqual(['passcreator-api', 'passmint-api', 'webhooks-api']);
    }
    expect(allowedTo('UpdateItem', 'domain-table', webhook)).toEqual(['deliver']);
  });

  test('only accounts-api, keys-api and key-material may put API keys, and no function may delete the row of an API key', () => {
    const row = apiKeyKey('0f'.repeat(32));

    expect(allowedTo('PutItem', 'credentials-table', row)).toEqual(['accounts-api', 'key-material', 'keys-api']);
    expect(allowedTo('DeleteItem', 'credentials-table', row)).toEqual([]);
  });
});
