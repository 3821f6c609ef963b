import { createHash } from 'node:crypto';
import { DeleteItemCommand, GetItemCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createOperatorsTable } from '../../lambdas/adapters/accounts/operators-table.ts';
import { createKeyring } from '../../lambdas/adapters/keyring/keyring.ts';
import { createPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { createSealer } from '../../lambdas/adapters/keyring/sealing.ts';
import {
  apiKeyKey,
  type Key,
  operatorCountKey,
  operatorKeyOf,
  publicKeysKey,
} from '../../lambdas/adapters/rows/table-keys.ts';
import { createOperator, deleteOperator, rotateOperator } from '../../lambdas/domain/accounts/operator.ts';
import { FIRST_OPERATOR_ID } from '../../lambdas/domain/keyring/key-material.ts';
import { parseKeyring } from '../../lambdas/domain/keyring/keyring.ts';
import { env } from '../../lambdas/runtime/env.ts';
import { useResponseUrl } from '../helpers/response-url.ts';
import { useSecretsManager } from '../helpers/secrets-manager.ts';
import { useTables } from '../helpers/tables.ts';

describe('the key-material function', () => {
  const tables = useTables();
  const manager = useSecretsManager();
  const address = useResponseUrl();
  let handler: (event: unknown) => Promise<unknown>;

  beforeAll(async () => {
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', tables.endpoint);
    vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', manager.endpoint);
    vi.stubEnv(env.credentialsTable, tables.credentialsTable);
    vi.stubEnv(env.keyringSecret, 'keyring');
    vi.stubEnv(env.operatorSecret, 'operator');
    ({ handler } = await import('../../lambdas/functions/key-material.ts'));
  });
  beforeEach(() => {
    manager.secrets.set('keyring', { value: null, token: null });
    manager.secrets.set('operator', { value: null, token: null });
  });

  const run = async (RequestType = 'Create') => {
    const ids = { StackId: 's', RequestId: 'r', LogicalResourceId: 'filled' };
    await handler({ RequestType, ResponseURL: address.url, ...ids });
    return address.puts.at(-1)?.body;
  };
  const secretValue = (id: string): string => manager.secrets.get(id)?.value ?? '';
  const rowAt = async (key: Key) => {
    const { Item } = await tables.client.send(
      new GetItemCommand({ TableName: tables.credentialsTable, Key: marshall(key), ConsistentRead: true }),
    );
    return Item && unmarshall(Item);
  };
  const operatorRowKey = () => apiKeyKey(createHash('sha256').update(secretValue('operator')).digest('hex'));

  it('a Create event gets SUCCESS, fills the operator secret with an API key, and writes the row of this key with the scope admin', async () => {
    const answer = await run();

    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: {} });
    expect(secretValue('operator')).toMatch(/^pp_live_/);
    expect(await rowAt(operatorRowKey())).toMatchObject({
      id: expect.stringMatching(/^opr_/),
      scopes: ['admin'],
      mode: 'live',
      limit: 600,
      ws: 0,
      n: 0,
    });
  });

  it('a Create event writes keys with which a sealer seals a text and the keyring opens the sealed text', async () => {
    await run();
    const sealer = createSealer(createPublicKeys(tables.client, tables.credentialsTable, Date.now).read);
    const keyring = createKeyring({
      secrets: manager.client,
      secretId: 'keyring',
      readSigningKeys: async () => null,
      clock: Date.now,
    });

    const sealed = await sealer.seal('acc_1#live', 'whk_1', 'secret', 'secret');

    expect(await keyring.open('acc_1#live', 'whk_1', 'secret', sealed)).toBe('secret');
  });

  it("an Update event gets SUCCESS and changes neither the two secrets nor the request count of the operator's API key", async () => {
    await run();
    const secretsBefore = [secretValue('keyring'), secretValue('operator')];
    const Key = marshall(operatorRowKey());
    await tables.client.send(
      new UpdateItemCommand({
        TableName: tables.credentialsTable,
        Key,
        UpdateExpression: 'SET n = :n',
        ExpressionAttributeValues: marshall({ ':n': 7 }),
      }),
    );

    const answer = await run('Update');

    expect(answer).toMatchObject({ Status: 'SUCCESS' });
    expect([secretValue('keyring'), secretValue('operator')]).toEqual(secretsBefore);
    expect(await rowAt(operatorRowKey())).toMatchObject({ n: 7 });
  });

  it('an operator call with rotate-keyring puts one sealing pair before the old one, publishes it, and returns only its id', async () => {
    await run();
    const before = parseKeyring(secretValue('keyring'));
    const putsBefore = address.puts.length;

    const answer = await handler({ operation: 'rotate-keyring' });

    const after = parseKeyring(secretValue('keyring'));
    const [sealing] = after.sealing;
    expect(answer).toEqual({ sealing_kid: sealing?.kid });
    expect(after.sealing.slice(1)).toEqual(before.sealing);
    expect(await rowAt(publicKeysKey)).toMatchObject({ sealing: { kid: sealing?.kid } });
    expect(address.puts).toHaveLength(putsBefore);
  });

  it.each([
    ['an unknown operation', { operation: 'drop-keyring' }, 'operation'],
    ['an unknown field', { operation: 'rotate-keyring', force: true }, 'force'],
    [
      'the field RequestType, which only events of CloudFormation have',
      { operation: 'rotate-keyring', RequestType: 'Create' },
      'RequestType',
    ],
  ])(
    'refuses an operator call with %s: the error invalid names the field, and the keyring is unchanged',
    async (_name, event, fieldName) => {
      await run();
      const before = secretValue('keyring');

      const answer = await handler(event);

      expect(answer).toMatchObject({ error: { code: 'invalid', message: expect.stringContaining(fieldName) } });
      expect(secretValue('keyring')).toBe(before);
    },
  );

  it('answers rotate-keyring with the error unavailable before the deployment has a keyring', async () => {
    expect(await handler({ operation: 'rotate-keyring' })).toMatchObject({ error: { code: 'unavailable' } });
  });

  it('an operator call with rotate-operator-key puts a new key into the secret and the table; the former key expires at the end of the overlap', async () => {
    await run();
    const former = operatorRowKey();

    const answer = await handler({ operation: 'rotate-operator-key', overlap_seconds: 60 });

    const { expires_at } = (await rowAt(former)) ?? {};
    expect(answer).toEqual({
      prefix: secretValue('operator').slice(0, 12),
      former_key_ends_at: new Date(expires_at).toISOString(),
    });
    expect(expires_at).toBeGreaterThan(Date.now() + 50_000);
    expect(operatorRowKey()).not.toEqual(former);
    expect(await rowAt(operatorRowKey())).toMatchObject({ scopes: ['admin'] });
    expect(await rowAt(operatorRowKey())).not.toHaveProperty('expires_at');
  });

  // The secret may hold a key that leaked and was replaced through the API, which does not change the secret.
  it('an Update event does not make a key valid again that is in the secret and was replaced since', async () => {
    await run();
    const leaked = operatorRowKey();
    const operators = createOperatorsTable(tables.client, {
      domain: tables.domainTable,
      credentials: tables.credentialsTable,
    });
    const request = {
      idempotencyKey: null,
      contentHash: '',
      by: { accountId: '', keyId: '', ip: '' },
      nowMs: Date.now(),
    };
    await rotateOperator(request, FIRST_OPERATOR_ID, 0, operators);
    await tables.client.send(new DeleteItemCommand({ TableName: tables.credentialsTable, Key: marshall(leaked) }));

    await run('Update');

    expect(await rowAt(leaked)).toBeUndefined();
  });

  // An earlier release made the row of the operator's key without an operator; the deployment of this release then failed.
  it('an Update event gets SUCCESS and adds the first operator where only the row of its key exists, and the key stays valid', async () => {
    await run();
    const rowKey = operatorRowKey();
    for (const key of [operatorKeyOf(FIRST_OPERATOR_ID), operatorCountKey]) {
      await tables.client.send(new DeleteItemCommand({ TableName: tables.credentialsTable, Key: marshall(key) }));
    }
    await tables.client.send(
      new UpdateItemCommand({
        TableName: tables.credentialsTable,
        Key: marshall(rowKey),
        UpdateExpression: 'SET id = :id, n = :n',
        ExpressionAttributeValues: marshall({ ':id': 'key_former', ':n': 7 }),
      }),
    );

    const answer = await run('Update');

    expect(answer).toMatchObject({ Status: 'SUCCESS' });
    expect(await rowAt(rowKey)).toMatchObject({ id: FIRST_OPERATOR_ID, n: 7 });
    expect(await rowAt(operatorKeyOf(FIRST_OPERATOR_ID))).toMatchObject({ hash: rowKey.pk.slice(2) });
    expect(await rowAt(operatorCountKey)).toMatchObject({ n: 1 });
  });

  it('rotate-operator-key gives a deleted first operator a key again', async () => {
    await run();
    const operators = createOperatorsTable(tables.client, {
      domain: tables.domainTable,
      credentials: tables.credentialsTable,
    });
    const request = {
      idempotencyKey: null,
      contentHash: '',
      by: { accountId: '', keyId: '', ip: '' },
      nowMs: Date.now(),
    };
    await createOperator(request, 'other', operators);
    await deleteOperator(request, FIRST_OPERATOR_ID, operators);

    await handler({ operation: 'rotate-operator-key' });

    expect((await operators.list()).map(({ id }) => id)).toContain(FIRST_OPERATOR_ID);
    expect(await rowAt(operatorRowKey())).toMatchObject({ id: FIRST_OPERATOR_ID, scopes: ['admin'] });
  });

  it.each([-1, 2_592_001, '60'])(
    'answers rotate-operator-key with the error invalid for overlap_seconds %s',
    async (value) => {
      const answer = await handler({ operation: 'rotate-operator-key', overlap_seconds: value });

      expect(answer).toMatchObject({ error: { code: 'invalid', message: expect.stringContaining('overlap_seconds') } });
    },
  );

  it("writes no private key and no operator's API key to its answers, to table rows or to its log, also when Secrets Manager fails", async () => {
    const written: string[] = [];
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    await run();
    const rotated = await handler({ operation: 'rotate-keyring' });
    manager.isAway = true;
    const failure = await run();
    const notRotated = await handler({ operation: 'rotate-keyring' });
    spy.mockRestore();

    expect(failure).toMatchObject({ Status: 'FAILED' });
    expect(notRotated).toMatchObject({ error: { code: 'failed' } });
    const { Items = [] } = await tables.client.send(new ScanCommand({ TableName: tables.credentialsTable }));
    const output = JSON.stringify([address.puts, Items, written, rotated, notRotated]);
    const keyring = JSON.parse(secretValue('keyring'));
    const privateParts = keyring.sealing.map(({ jwk }: { jwk: { d: string } }) => jwk.d);
    expect(privateParts).toHaveLength(2);
    for (const value of [secretValue('operator'), ...privateParts]) expect(output).not.toContain(value);
  });
});
