import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { createKeyAuthenticator } from '../../../lambdas/adapters/accounts/authenticate-key.ts';
import { createKeysTable } from '../../../lambdas/adapters/accounts/keys-table.ts';
import { drawApiKey, hashApiKey } from '../../../lambdas/domain/accounts/api-key.ts';
import { auditEntry } from '../../../lambdas/domain/foundation/audit.ts';
import { rowsHolding } from '../../helpers/api-caller.ts';
import { seedAccount, tableNames } from '../../helpers/seeded-keys.ts';
import { useTables } from '../../helpers/tables.ts';

const start = Date.parse('2026-11-16T09:30:00.000Z');

describe('the AWS calls for an API key', () => {
  const tables = useTables();
  let calls: string[];
  let authenticate: ReturnType<typeof createKeyAuthenticator>['authenticate'];
  beforeEach(() => {
    calls = [];
    const { endpoint } = tables;
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
    client.middlewareStack.add((next, { commandName }) => (args) => {
      calls.push(commandName ?? '');
      return next(args);
    });
    authenticate = createKeyAuthenticator(client, tables.credentialsTable).authenticate;
  });
  const outcomeAt = async (key: string, afterMs: number) => (await authenticate(key, start + afterMs)).outcome;

  it('are none and the outcome is unknown for a valid key with any single character changed, for a shorter and for a longer text', async () => {
    const { key } = await seedAccount(tables);
    const changed = Array.from(key.slice(8), (character, index) => {
      const at = index + 8;
      return `${key.slice(0, at)}${character === 'a' ? 'b' : 'a'}${key.slice(at + 1)}`;
    });

    const outcomes: string[] = [];
    const texts = [...changed, key.replace('live', 'test'), key.slice(0, -1), `${key}a`, 'pp_live_unknown', ''];
    for (const text of texts) outcomes.push(await outcomeAt(text, 0));

    expect(new Set(outcomes)).toEqual(new Set(['unknown']));
    expect(calls).toEqual([]);
    expect(await outcomeAt(key, 0)).toBe('passed');
  });

  it('are one read in 10 s and no write for an unknown key with a right checksum that is presented twenty times', async () => {
    const { key } = drawApiKey('live');

    for (let i = 0; i < 20; i++) expect(await outcomeAt(key, i * 499)).toBe('unknown');
    expect(calls).toEqual(['GetItemCommand']);

    await outcomeAt(key, 10_000);
    expect(calls).toEqual(['GetItemCommand', 'GetItemCommand']);
  });

  it('are one read each and no write for 300 different unknown keys, and a valid key still costs one write afterwards', async () => {
    const { key } = await seedAccount(tables);
    await outcomeAt(key, 0);
    calls.length = 0;

    for (let i = 0; i < 300; i++) await outcomeAt(drawApiKey('test').key, 1);
    await outcomeAt(key, 2);

    expect(calls).toEqual([...Array.from({ length: 300 }, () => 'GetItemCommand'), 'UpdateItemCommand']);
  });

  it('are one read at the first request of an instance, two writes at the first of a minute, and one write for every other request with a valid key', async () => {
    const { key } = await seedAccount(tables);

    await outcomeAt(key, 0);
    expect(calls).toEqual(['GetItemCommand', 'UpdateItemCommand', 'UpdateItemCommand']);

    await outcomeAt(key, 1);
    await outcomeAt(key, 2);
    expect(calls.slice(3)).toEqual(['UpdateItemCommand', 'UpdateItemCommand']);
  });

  it('are one refused write and then none for ten requests with a key that was revoked while the instance used it', async () => {
    const { accountId, key } = await seedAccount(tables);
    await outcomeAt(key, 0);
    const keys = createKeysTable(tables.client, tableNames(tables));
    const [listed] = (await keys.list(accountId, 1, undefined)).items;
    const by = { accountId, keyId: 'key_1', ip: '192.0.2.1' };
    const entry = auditEntry(by, 'key.revoked', listed?.id ?? '', start);
    await keys.revoke(accountId, { id: listed?.id ?? '', hash: hashApiKey(key) }, entry, start);
    calls.length = 0;

    for (let i = 1; i <= 10; i++) expect(await outcomeAt(key, i)).toBe('unknown');

    expect(calls).toEqual(['UpdateItemCommand']);
  });

  it('look up a key of 32 characters without a checksum, which is the form of the keys that were created first', async () => {
    const { key } = await seedAccount(tables);
    const oldKey = 'pp_live_0123456789abcdefghijklmnopqrstuv';
    const [row] = await rowsHolding(tables, tables.credentialsTable, hashApiKey(key));
    const Item = marshall({ ...row, pk: `K#${hashApiKey(oldKey)}` });
    await tables.client.send(new PutItemCommand({ TableName: tables.credentialsTable, Item }));

    expect(await outcomeAt(oldKey, 0)).toBe('passed');
  });

  it('read a key again 10 s after its refusal, so a key whose row appears in the meantime is valid then', async () => {
    const { key } = await seedAccount(tables);
    const late = drawApiKey('live').key;
    expect(await outcomeAt(late, 0)).toBe('unknown');
    const [row] = await rowsHolding(tables, tables.credentialsTable, hashApiKey(key));
    const Item = marshall({ ...row, pk: `K#${hashApiKey(late)}` });
    await tables.client.send(new PutItemCommand({ TableName: tables.credentialsTable, Item }));

    expect([await outcomeAt(late, 9_999), await outcomeAt(late, 10_000)]).toEqual(['unknown', 'passed']);
  });
});
