import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callApi } from '../../local/cli/api-client.ts';
import type { AwsCall } from '../../local/wiring/interceptor.ts';
import type { FaultTarget } from '../helpers/faults.ts';
import { type Client, useWholeStack } from '../helpers/whole-stack.ts';

/** The call of the deletion whose input contains the text. */
const callWith = (operation: string, text: string): FaultTarget => ({
  functionName: 'accounts-api',
  operation,
  when: ({ input }: AwsCall) => JSON.stringify(input).includes(text),
  times: 1,
});
const markDeleting = callWith('TransactWriteItems', 'SET deleting_until');
const revokeKey = callWith('UpdateItem', 'SET revoked_at');
const unlistKey = callWith('TransactWriteItems', 'key.revoked');
const deleteCounters = callWith('TransactWriteItems', 'webhook-count');
const deleteAccountRow = callWith('TransactWriteItems', 'account.deleted');

describe('DELETE /accounts/{id} on the whole stack', () => {
  const whole = useWholeStack({});
  let client: Client;
  /** The account's keys, oldest first. */
  let keys: string[];
  let tables: DynamoDBClient;
  beforeAll(() => {
    tables = new DynamoDBClient({
      endpoint: whole.stack.dynamoEndpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    return () => tables.destroy();
  });
  beforeEach(async () => {
    client = await whole.newClient();
    keys = [client.key];
    for (const mode of ['live', 'test']) keys.push(String((await makeKey(mode)).body.key));
  });

  const makeKey = (mode = 'live') => client.call('POST', '/keys', { name: 'till', scopes: ['keys:read'], mode });
  const remove = () => callApi(whole.stack.url, whole.stack.operatorKey, 'DELETE', `/accounts/${client.accountId}`);
  const statusOf = async (key: string) => (await callApi(whole.stack.url, key, 'GET', '/keys')).status;
  const exists = async () => {
    const { operatorKey, url } = whole.stack;
    return (await callApi(url, operatorKey, 'GET', `/accounts/${client.accountId}`)).status === 200;
  };
  /** Rows of the account that never expire. */
  const lastingRows = async () => {
    const rows: Record<string, unknown>[] = [];
    for (const name of ['domain-table', 'delivery-table', 'credentials-table']) {
      const TableName = whole.stack.tableName(name);
      for await (const { Items = [] } of paginateScan({ client: tables }, { TableName, ConsistentRead: true })) {
        rows.push(...Items.map((item) => unmarshall(item)));
      }
    }
    return rows.filter((row) => JSON.stringify(row).includes(client.accountId) && row.ttl === undefined);
  };
  /** Expects that the account, all its keys and all rows that never expire are deleted. */
  const expectDeleted = async (all = keys) => {
    expect(await exists()).toBe(false);
    expect(await Promise.all(all.map(statusOf))).toEqual(all.map(() => 401));
    expect(await lastingRows()).toEqual([]);
  };

  it.each<[string, FaultTarget, 'kill before' | 'kill after']>([
    ['before the account is marked as deleting', markDeleting, 'kill before'],
    ['after the account is marked as deleting', markDeleting, 'kill after'],
    ['after a key is revoked', revokeKey, 'kill after'],
    ['before a key is removed from the list', unlistKey, 'kill before'],
    ['after a key is removed from the list', unlistKey, 'kill after'],
    ['after the counters are deleted', deleteCounters, 'kill after'],
    ['before the account row is deleted', deleteAccountRow, 'kill before'],
  ])(
    'that is killed %s answers 500 and the account still exists; a second DELETE answers 204 and deletes the account, its keys and its rows',
    async (_, target, kind) => {
      const kill = whole.faults.inject(target, kind);

      const killed = await remove();
      const stillExists = await exists();
      const repeated = await remove();

      expect([killed.status, kill.hits, stillExists, repeated.status]).toEqual([500, 1, true, 204]);
      await expectDeleted();
      expect((await remove()).status).toBe(404);
    },
  );

  it('that is killed after the account row is deleted answers 500, but the account, its keys and its rows are deleted', async () => {
    const kill = whole.faults.inject(deleteAccountRow, 'kill after');

    const killed = await remove();

    expect([killed.status, kill.hits]).toEqual([500, 1]);
    await expectDeleted();
    expect((await remove()).status).toBe(404);
  });

  it('answers 204 and also revokes a key that is created just before the account is marked as deleting', async () => {
    const created: { status: number; body: Record<string, unknown> }[] = [];
    whole.faults.inject(markDeleting, async (_, forward) => {
      created.push(await makeKey());
      return forward();
    });

    expect((await remove()).status).toBe(204);

    expect(created).toMatchObject([{ status: 201 }]);
    await expectDeleted([...keys, String(created[0]?.body.key)]);
  });

  it('makes POST /keys and POST /keys/{id}/rotate answer 409 while it revokes the account’s keys', async () => {
    const refused: { status: number; body: Record<string, unknown> }[] = [];
    const { data } = (await client.call('GET', '/keys')).body as { data: { id: string }[] };
    // The revocations wait, so that a key is still valid for the two requests.
    whole.faults.inject(revokeKey, async (_, forward) => {
      refused.push(await makeKey(), await client.call('POST', `/keys/${data[0]?.id}/rotate`, {}));
      return forward();
    });
    whole.faults.inject({ ...revokeKey, times: 9 }, async (_, forward) => {
      while (refused.length < 2) await new Promise((next) => setTimeout(next, 10));
      return forward();
    });

    expect((await remove()).status).toBe(204);

    expect(refused).toMatchObject([
      { status: 409, body: { detail: expect.stringContaining('being deleted') } },
      { status: 409, body: { detail: expect.stringContaining('being deleted') } },
    ]);
    await expectDeleted();
  });

  it.each([
    ['POST /keys', () => makeKey()],
    [
      'POST /keys/{id}/rotate',
      async () => {
        const { data } = (await client.call('GET', '/keys')).body as { data: { id: string }[] };
        return client.call('POST', `/keys/${data[0]?.id}/rotate`, { overlap_seconds: 0 });
      },
    ],
  ])(
    'makes a concurrent %s answer 403 without a key when the whole deletion runs just before the key’s row is written',
    async (_, make) => {
      const deletion = Promise.withResolvers<number>();
      const target = { functionName: 'keys-api', operation: 'TransactWriteItems', times: 1 };
      // The whole deletion runs just before the key's row is written.
      const late = whole.faults.inject(target, async (_call, forward) => {
        deletion.resolve((await remove()).status);
        return forward();
      });

      const answer = await make();

      expect([late.hits, await deletion.promise]).toEqual([1, 204]);
      expect([answer.status, answer.body.key]).toEqual([403, undefined]);
      await expectDeleted();
    },
  );

  it('answers 204, and a concurrent POST /keys that writes after the other keys are revoked answers 403 or 409 and leaves no valid key', async () => {
    const revoked = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const deletion = Promise.withResolvers<number>();
    whole.faults.inject(deleteCounters, async (_, forward) => {
      revoked.resolve();
      await written.promise;
      return forward();
    });
    // The request for the key has read the account before the deletion starts.
    whole.faults.inject({ functionName: 'keys-api', operation: 'TransactWriteItems', times: 1 }, async (_, forward) => {
      void remove().then(({ status }) => deletion.resolve(status));
      await revoked.promise;
      const answer = await forward();
      written.resolve();
      return answer;
    });

    const answer = await makeKey();

    expect(await deletion.promise).toBe(204);
    expect([403, 409]).toContain(answer.status);
    await expectDeleted();
  });

  it('answers 204 and leaves no valid key behind when thirty POST /keys run at the same time', async () => {
    const requests = Array.from({ length: 30 }, () => makeKey());

    const removed = await remove();

    const created = (await Promise.all(requests)).flatMap(({ body }) => (body.key ? [String(body.key)] : []));
    expect(removed.status).toBe(204);
    await expectDeleted([...keys, ...created]);
  });

  it('answers 204 to exactly one of five requests at the same time, and 404 to the other four', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => remove()));

    expect(answers.map(({ status }) => status).filter((status) => status === 204)).toHaveLength(1);
    expect(answers.map(({ status }) => status).filter((status) => status !== 204 && status !== 404)).toEqual([]);
    await expectDeleted();
  });
});
