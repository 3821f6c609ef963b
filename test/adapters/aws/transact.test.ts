import { DynamoDBClient, GetItemCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoopbackServer, serveOnLoopback } from '../../../deploy/loopback-server.ts';
import { changeTogether, transact } from '../../../lambdas/adapters/aws/transact.ts';
import { useTables } from '../../helpers/tables.ts';

const TableName = 'delivery';
const keyOf = (pk: string) => ({ pk, sk: 'row' });

const put = (pk: string, more: object = {}, condition?: string): TransactWriteItem => ({
  Put: {
    TableName,
    Item: marshall({ ...keyOf(pk), ...more }),
    ...(condition ? { ConditionExpression: condition } : {}),
  },
});
const update = (pk: string, expression: string, value: unknown): TransactWriteItem => ({
  Update: {
    TableName,
    Key: marshall(keyOf(pk)),
    UpdateExpression: expression,
    ExpressionAttributeValues: marshall({ ':value': value }),
  },
});

describe('a transaction', () => {
  const tables = useTables();
  const exists = async (pk: string): Promise<boolean> => {
    const { Item } = await tables.client.send(
      new GetItemCommand({ TableName, Key: marshall(keyOf(pk)), ConsistentRead: true }),
    );
    return Item !== undefined;
  };

  it('is written whole, and `transact` returns -1; or it is not written, and `transact` returns the index of the failed condition', async () => {
    const written = await transact(tables.client, [put('a'), put('b', {}, 'attribute_not_exists(pk)')]);
    const failed = await transact(tables.client, [put('c'), put('b', {}, 'attribute_not_exists(pk)')]);

    expect([written, failed]).toEqual([-1, 1]);
    expect([await exists('a'), await exists('c')]).toEqual([true, false]);
  });

  // Fixed bug: `transact` returned `busy` for both errors after six tries, so that the caller repeated the request without end.
  it.each([
    ['that adds a number to a text', 'ADD note :value', 1, 'incorrect data type'],
    ['that makes a row too large', 'SET more = :value', 'x'.repeat(300_000), 'exceeded the maximum allowed size'],
  ])(
    '%s makes `changeTogether` throw after one call, and its other item is not written',
    async (_, expression, value, message) => {
      const calls: unknown[] = [];
      const client = new DynamoDBClient({
        endpoint: tables.endpoint,
        region: 'us-east-1',
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      });
      client.middlewareStack.add((next) => (call) => next(call).finally(() => calls.push(call)), {
        step: 'initialize',
      });
      await transact(tables.client, [put('large', { note: 'x'.repeat(300_000) })]);

      const refused = changeTogether(client, [put('beside'), update('large', expression, value)]);

      await expect(refused).rejects.toThrow(message);
      expect(calls).toHaveLength(1);
      expect(await exists('beside')).toBe(false);
    },
  );
});

describe('a transaction that conflicts or is throttled', () => {
  let server: LoopbackServer;
  let codes: string[][];
  let calls: number;
  beforeEach(async () => {
    calls = 0;
    server = await serveOnLoopback((_, response) => {
      const reasons = codes[calls++];
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      if (!reasons) return response.end('{}');
      response.statusCode = 400;
      const body = {
        __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
        Message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.join(', ')}]`,
        CancellationReasons: reasons.map((Code) => ({ Code })),
      };
      return response.end(JSON.stringify(body));
    });
  });
  afterEach(() => server.stop());

  const client = () =>
    new DynamoDBClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });

  it('is sent again: after three refusals the fourth call succeeds, and `transact` returns -1', async () => {
    codes = [
      ['None', 'TransactionConflict'],
      ['ThrottlingError', 'None'],
      ['ProvisionedThroughputExceeded', 'None'],
    ];

    expect(await transact(client(), [put('a'), put('b')])).toBe(-1);
    expect(calls).toBe(4);
  });

  it('at every try makes `transact` return busy and `changeTogether` throw unavailable, each after six calls', async () => {
    codes = Array(12).fill(['TransactionConflict', 'None']);

    expect(await transact(client(), [put('a'), put('b')])).toBe('busy');
    await expect(changeTogether(client(), [put('a'), put('b')])).rejects.toMatchObject({ code: 'unavailable' });
    expect(calls).toBe(12);
  });

  it('makes `transact` throw ValidationError after one call if another item of the transaction is invalid', async () => {
    codes = [['TransactionConflict', 'ValidationError']];

    await expect(transact(client(), [put('a'), put('b')])).rejects.toThrow('ValidationError');
    expect(calls).toBe(1);
  });
});
