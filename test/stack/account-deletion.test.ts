import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callApi } from '../../local/cli/api-client.ts';
import type { AwsCall } from '../../local/wiring/interceptor.ts';
import type { FaultPlace } from '../helpers/faults.ts';
import { type Client, useWholeStack } from '../helpers/whole-stack.ts';

/** A call of the deletion that holds the text. */
const at = (operation: string, text: string): FaultPlace => ({
  functionName: 'accounts-api',
  operation,
  when: ({ input }: AwsCall) => JSON.stringify(input).includes(text),
  times: 1,
});
const closing = at('TransactWriteItems', 'SET deleting_until');
const ending = at('UpdateItem', 'SET revoked_at');
const unlisting = at('TransactWriteItems', 'key.revoked');
const clearing = at('TransactWriteItems', 'webhook-count');
const removing = at('TransactWriteItems', 'account.deleted');

describe('an account that is being deleted', () => {
  const whole = useWholeStack({});
  let client: Client;
  /** Its keys, the first one first. */
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
  const isThere = async () => {
    const { operatorKey, url } = whole.stack;
    return (await callApi(url, operatorKey, 'GET', `/accounts/${client.accountId}`)).status === 200;
  };
  /** What no expiry ever takes away: of the account, and keys of it that live. */
  const lasting = async () => {
    const found: Record<string, unknown>[] = [];
    for (const name of ['domain-table', 'delivery-table']) {
      const TableName = whole.stack.tableName(name);
      for await (const { Items = [] } of paginateScan({ client: tables }, { TableName, ConsistentRead: true })) {
        found.push(...Items.map((item) => unmarshall(item)));
      }
    }
    return found.filter((row) => JSON.stringify(row).includes(client.accountId) && row.ttl === undefined);
  };
  /** Whatever came before: it is gone now, with all its keys. */
  const expectGone = async (all = keys) => {
    expect(await isThere()).toBe(false);
    expect(await Promise.all(all.map(statusOf))).toEqual(all.map(() => 401));
    expect(await lasting()).toEqual([]);
  };

  it.each<[string, FaultPlace, 'kill before' | 'kill after']>([
    ['before it gets no more keys', closing, 'kill before'],
    ['when it gets no more keys', closing, 'kill after'],
    ['when a key is ended', ending, 'kill after'],
    ['before a key is off the list', unlisting, 'kill before'],
    ['when a key is off the list', unlisting, 'kill after'],
    ['when what tells nothing is gone', clearing, 'kill after'],
    ['before its row goes', removing, 'kill before'],
  ])('is there while a key of it may live, and goes at the repeat: killed %s', async (_, place, kind) => {
    const kill = whole.faults.order(place, kind);

    const killed = await remove();
    const isStill = await isThere();
    const repeated = await remove();

    expect([killed.status, kill.hits, isStill, repeated.status]).toEqual([500, 1, true, 204]);
    await expectGone();
    expect((await remove()).status).toBe(404);
  });

  it('is gone where only the answer was lost', async () => {
    const kill = whole.faults.order(removing, 'kill after');

    const killed = await remove();

    expect([killed.status, kill.hits]).toEqual([500, 1]);
    await expectGone();
    expect((await remove()).status).toBe(404);
  });

  it('ends a key, too, that is made just before it gets no more', async () => {
    const made: { status: number; body: Record<string, unknown> }[] = [];
    whole.faults.order(closing, async (_, forward) => {
      made.push(await makeKey());
      return forward();
    });

    expect((await remove()).status).toBe(204);

    expect(made).toMatchObject([{ status: 201 }]);
    await expectGone([...keys, String(made[0]?.body.key)]);
  });

  it('gets no key any more once they are being ended', async () => {
    const refused: { status: number; body: Record<string, unknown> }[] = [];
    const { data } = (await client.call('GET', '/keys')).body as { data: { id: string }[] };
    // The keys' ends wait, so that one of them can still ask.
    whole.faults.order(ending, async (_, forward) => {
      refused.push(await makeKey(), await client.call('POST', `/keys/${data[0]?.id}/rotate`, {}));
      return forward();
    });
    whole.faults.order({ ...ending, times: 9 }, async (_, forward) => {
      while (refused.length < 2) await new Promise((next) => setTimeout(next, 10));
      return forward();
    });

    expect((await remove()).status).toBe(204);

    expect(refused).toMatchObject([
      { status: 409, body: { detail: expect.stringContaining('being deleted') } },
      { status: 409, body: { detail: expect.stringContaining('being deleted') } },
    ]);
    await expectGone();
  });

  it.each([
    ['made', () => makeKey()],
    [
      'made in the place of another',
      async () => {
        const { data } = (await client.call('GET', '/keys')).body as { data: { id: string }[] };
        return client.call('POST', `/keys/${data[0]?.id}/rotate`, { overlap_seconds: 0 });
      },
    ],
  ])('outlives no key that is still being %s', async (_, make) => {
    const deletion = Promise.withResolvers<number>();
    const place = { functionName: 'keys-api', operation: 'TransactWriteItems', times: 1 };
    // The key's row is about to be written, and comes after all of the deletion.
    const late = whole.faults.order(place, async (_call, forward) => {
      deletion.resolve((await remove()).status);
      return forward();
    });

    const answer = await make();

    expect([late.hits, await deletion.promise]).toEqual([1, 204]);
    expect([answer.status, answer.body.key]).toEqual([403, undefined]);
    await expectGone();
  });

  it('outlives no key that is written when the others have ended', async () => {
    const ended = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const deletion = Promise.withResolvers<number>();
    whole.faults.order(clearing, async (_, forward) => {
      ended.resolve();
      await written.promise;
      return forward();
    });
    // It was asked for, and the account looked at, before anybody deleted it.
    whole.faults.order({ functionName: 'keys-api', operation: 'TransactWriteItems', times: 1 }, async (_, forward) => {
      void remove().then(({ status }) => deletion.resolve(status));
      await ended.promise;
      const answer = await forward();
      written.resolve();
      return answer;
    });

    const answer = await makeKey();

    expect(await deletion.promise).toBe(204);
    expect([403, 409]).toContain(answer.status);
    await expectGone();
  });

  it('outlives none of many that are made meanwhile', async () => {
    const asked = Array.from({ length: 30 }, () => makeKey());

    const removed = await remove();

    const made = (await Promise.all(asked)).flatMap(({ body }) => (body.key ? [String(body.key)] : []));
    expect(removed.status).toBe(204);
    await expectGone([...keys, ...made]);
  });

  it('goes once, however many ask', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => remove()));

    expect(answers.map(({ status }) => status).filter((status) => status === 204)).toHaveLength(1);
    expect(answers.map(({ status }) => status).filter((status) => status !== 204 && status !== 404)).toEqual([]);
    await expectGone();
  });
});
