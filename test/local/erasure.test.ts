import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { callApi } from '../../local/cli/api-client.ts';
import { type Client, useWholeStack } from '../helpers/whole-stack.ts';

const planted = 'Planted-Person';
const longBody = `${planted} ${'x'.repeat(400)}`;
const place = { city: 'Oslo', address: planted };
const task = { item: planted, pickup: place, dropoff: place, recipient: { name: planted } };
const SOON = { timeout: 10_000, interval: 50 };

describe('erasure on the whole stack', () => {
  const whole = useWholeStack({});
  let client: Client;
  let tables: DynamoDBClient;
  beforeAll(() => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    tables = new DynamoDBClient({ endpoint: whole.stack.dynamoEndpoint, region: 'us-east-1', credentials });
    return () => tables.destroy();
  });
  beforeEach(async () => {
    client = await whole.newClient();
  });

  /** Returns the kinds of all rows whose JSON text contains `text`. */
  const rowsWith = async (text: string, isSelected: (row: Record<string, unknown>) => boolean = () => true) => {
    const rows: Record<string, unknown>[] = [];
    for (const name of ['domain-table', 'delivery-table', 'credentials-table']) {
      const TableName = whole.stack.tableName(name);
      for await (const { Items = [] } of paginateScan({ client: tables }, { TableName, ConsistentRead: true })) {
        rows.push(...Items.map((item) => unmarshall(item)));
      }
    }
    return rows.filter((row) => isSelected(row) && JSON.stringify(row).includes(text)).map(({ kind }) => kind);
  };
  const cancelledTask = async (): Promise<string> => {
    const { id } = (await client.call('POST', '/tasks', task)).body;
    await client.call('POST', `/tasks/${id}/cancel`, { reason: planted });
    return String(id);
  };

  it('an attempt that is under way while the personal data of its task is erased brings nothing back: no row holds it, and the delivery is cancelled', async () => {
    const answered = Promise.withResolvers<void>();
    const webhook = await client.addWebhook(
      async (_post, response) => {
        await answered.promise;
        response.writeHead(500).end(longBody);
        return null;
      },
      { events: ['task.cancelled'] },
    );
    const id = await cancelledTask();
    await vi.waitFor(() => expect(webhook.posts).toHaveLength(1), SOON);
    expect(new Set(await rowsWith(planted))).toEqual(new Set(['task', 'event']));

    const { status } = await client.call('DELETE', `/tasks/${id}/personal-data`);
    await client.listedSettled(webhook, 1);
    answered.resolve();
    await vi.waitFor(() => expect(whole.logs.some((line) => line.includes('superseded'))).toBe(true), SOON);

    expect(status).toBe(204);
    await vi.waitFor(async () => expect(await rowsWith(planted)).toEqual([]), SOON);
    const bodies = (await client.deliveries(webhook)).map(({ attempts, ...delivery }) => [
      delivery.status,
      attempts.map(({ response_body }) => response_body),
    ]);
    expect(bodies).toEqual([['cancelled', []]]);
    await sleep(1000);
    expect(webhook.posts).toHaveLength(1);
  });

  it('an account with erased tasks only can be deleted, and leaves no row that never expires', async () => {
    await client.call('DELETE', `/tasks/${await cancelledTask()}/personal-data`);

    const { url, operatorKey } = whole.stack;
    const { status } = await callApi(url, operatorKey, 'DELETE', `/accounts/${client.accountId}`);

    expect(status).toBe(204);
    await vi.waitFor(async () => {
      expect(await rowsWith(client.accountId, ({ ttl }) => ttl === undefined)).toEqual([]);
    }, SOON);
  });
});
