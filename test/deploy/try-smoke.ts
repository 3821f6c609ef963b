import assert from 'node:assert/strict';
import { DynamoDBClient, ListTablesCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { smoke } from '../../deploy/smoke.ts';
import { freePort } from '../../local/tables/dynoxide.ts';
import { type Deployment, eventually, say } from './deployment.ts';
import type { Emulator } from './emulator.ts';

const ACCOUNTS = '/api/public/v1/accounts';

/** `npm run smoke` by the operator's key, with a receiver on this machine: what it said, and the account that it made. */
const smokeThrough = async ({ call, operatorKey }: Deployment): Promise<{ said: string; accountId: string }> => {
  const port = await freePort();
  const lines: string[] = [];
  await smoke({
    call,
    key: { of: 'operator', value: operatorKey },
    receiver: { url: `http://127.0.0.1:${port}/`, takes: true },
    listen: port,
    withinMs: 60_000,
    say: (line) => lines.push(line),
  });
  const said = lines.join('\n');
  return { said, accountId: /an account is made, (acc_\w+)/.exec(said)?.[1] ?? '' };
};

/** Every row that names the account and does not expire. */
const lastingRows = async (emulator: Emulator, accountId: string): Promise<Record<string, unknown>[]> => {
  const client = new DynamoDBClient(emulator.client);
  const { TableNames = [] } = await client.send(new ListTablesCommand({}));
  const found: Record<string, unknown>[] = [];
  for (const TableName of TableNames) {
    for await (const { Items = [] } of paginateScan({ client }, { TableName })) {
      found.push(...Items.map((item) => unmarshall(item)));
    }
  }
  client.destroy();
  return found.filter((row) => row.ttl === undefined && JSON.stringify(row).includes(accountId));
};

const expectNothingLeft = async ({ call, operatorKey }: Deployment, emulator: Emulator, accountId: string) => {
  const { status } = await call('GET', `${ACCOUNTS}/${accountId}`, operatorKey);
  assert.equal(status, 404, 'the account is gone');
  await eventually('Every row of it that stays expires', 30, async () =>
    (await lastingRows(emulator, accountId)).length === 0 ? true : undefined,
  );
};

/** What the former release made: an account, its key, and what its smoke test could not take away. */
export interface FormerAccounts {
  readonly key: string;
  readonly ids: readonly string[];
}

export const smokeTheFormer = async (there: Deployment): Promise<FormerAccounts> => {
  const { said } = await smokeThrough(there);
  const left = /left behind: the account (acc_\w+)/.exec(said);
  say(`✓ a smoke test passes${left ? ', and says that its account stays' : ''}`);
  const { body } = await there.call('POST', ACCOUNTS, there.operatorKey, { name: 'Former release' });
  return { key: String(body.key), ids: [String(body.id), ...(left ? [String(left[1])] : [])] };
};

/** A smoke test that leaves nothing behind, and the end of the accounts that the former release made. */
export const trySmoke = async (there: Deployment, emulator: Emulator, former: FormerAccounts): Promise<void> => {
  const { said, accountId } = await smokeThrough(there);
  assert.match(said, /✓ webhook, deliveries, content, keys and the account are gone again$/);
  await expectNothingLeft(there, emulator, accountId);
  say('✓ a smoke test passes and leaves nothing behind that does not expire');

  const statusOfKey = async () => (await there.call('GET', '/api/public/v1/keys', former.key)).status;
  assert.equal(await statusOfKey(), 200, "the former release's key works");
  for (const id of former.ids) {
    const removed = await there.call('DELETE', `${ACCOUNTS}/${id}`, there.operatorKey);
    assert.equal(removed.status, 204, JSON.stringify(removed.body));
    await expectNothingLeft(there, emulator, id);
  }
  assert.equal(await statusOfKey(), 401, 'and is refused once its account is gone');
  say('✓ the operator deletes the accounts that the former release made');
};
