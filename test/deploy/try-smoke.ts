import assert from 'node:assert/strict';
import { DynamoDBClient, ListTablesCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { smoke } from '../../deploy/smoke.ts';
import { freePort } from '../../local/tables/dynoxide.ts';
import { type Deployment, eventually, say } from './deployment.ts';
import type { Emulator } from './emulator.ts';

const ACCOUNTS = '/api/public/v1/accounts';

/** Runs the smoke test with the operator's key and a receiver on this machine. Returns its output and the account it created. */
const runSmoke = async ({ call, operatorKey }: Deployment): Promise<{ output: string; accountId: string }> => {
  const port = await freePort();
  const lines: string[] = [];
  await smoke({
    call,
    key: { of: 'operator', value: operatorKey },
    receiver: { url: `http://127.0.0.1:${port}/`, accepts: true },
    listen: port,
    withinMs: 60_000,
    say: (line) => lines.push(line),
  });
  const output = lines.join('\n');
  return { output, accountId: /created the account (acc_\w+)/.exec(output)?.[1] ?? '' };
};

/** Every row that contains the account's id and has no TTL. */
const rowsWithoutTtl = async (emulator: Emulator, accountId: string): Promise<Record<string, unknown>[]> => {
  const client = new DynamoDBClient(emulator.client);
  const { TableNames = [] } = await client.send(new ListTablesCommand({}));
  const rows: Record<string, unknown>[] = [];
  for (const TableName of TableNames) {
    for await (const { Items = [] } of paginateScan({ client }, { TableName })) {
      rows.push(...Items.map((item) => unmarshall(item)));
    }
  }
  client.destroy();
  return rows.filter((row) => row.ttl === undefined && JSON.stringify(row).includes(accountId));
};

const expectErased = async ({ call, operatorKey }: Deployment, emulator: Emulator, accountId: string) => {
  const { status } = await call('GET', `${ACCOUNTS}/${accountId}`, operatorKey);
  assert.equal(status, 404, 'the account must be deleted');
  await eventually('every remaining row of the account has a TTL', 30, async () =>
    (await rowsWithoutTtl(emulator, accountId)).length === 0 ? true : undefined,
  );
};

/** Accounts that the former release created: one with its key, and one that its smoke test could not delete. */
export interface FormerAccounts {
  readonly key: string;
  readonly ids: readonly string[];
}

/** Runs the smoke test on the former release and creates an account there. */
export const smokeFormerRelease = async (deployment: Deployment): Promise<FormerAccounts> => {
  const { output } = await runSmoke(deployment);
  const undeleted = /The account (acc_\w+) was not deleted/.exec(output);
  say(`✓ the smoke test passes${undeleted ? ' and reports that its account stays' : ''}`);
  const { body } = await deployment.call('POST', ACCOUNTS, deployment.operatorKey, { name: 'Former release' });
  return { key: String(body.key), ids: [String(body.id), ...(undeleted ? [String(undeleted[1])] : [])] };
};

/** Runs the smoke test, checks that it deletes everything, and deletes the accounts of the former release. */
export const smokeThisRelease = async (
  deployment: Deployment,
  emulator: Emulator,
  former: FormerAccounts,
): Promise<void> => {
  const { output, accountId } = await runSmoke(deployment);
  assert.match(
    output,
    /✓ The smoke test deleted the webhook, its deliveries, the event's content, the keys and the account$/,
  );
  await expectErased(deployment, emulator, accountId);
  say('✓ the smoke test passes, and every row that it leaves has a TTL');

  const statusOfKey = async () => (await deployment.call('GET', '/api/public/v1/keys', former.key)).status;
  assert.equal(await statusOfKey(), 200, "the former release's key must work");
  for (const id of former.ids) {
    const deletion = await deployment.call('DELETE', `${ACCOUNTS}/${id}`, deployment.operatorKey);
    assert.equal(deletion.status, 204, JSON.stringify(deletion.body));
    await expectErased(deployment, emulator, id);
  }
  assert.equal(await statusOfKey(), 401, 'the key of a deleted account must be refused');
  say('✓ the operator deletes the accounts of the former release');
};
