import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Answer, apiAt, type Call } from '../../deploy/api.ts';
import { smoke } from '../../deploy/smoke.ts';
import { callApi } from '../../local/cli/api-client.ts';
import { freePort } from '../../local/tables/dynoxide.ts';
import { useWholeStack } from '../helpers/whole-stack.ts';

const program = fileURLToPath(new URL('../../bin/smoke.ts', import.meta.url));

const run = async (args: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
  const child = spawn(process.execPath, [program, ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, out, err };
};

describe('npm run smoke', () => {
  const own = useWholeStack({});

  /** What an account's key sees of what a smoke test makes. */
  const remains = async (client: Awaited<ReturnType<typeof own.newClient>>) => {
    const [keys, webhooks, events] = await Promise.all(
      ['/keys', '/webhooks', '/events'].map(async (path) => (await client.call('GET', path)).body.data),
    );
    return { keys, webhooks, events } as Record<'keys' | 'webhooks' | 'events', Record<string, unknown>[]>;
  };

  const accounts = async () =>
    (await callApi(own.stack.url, own.stack.operatorKey, 'GET', '/accounts?limit=100')).body.data as readonly {
      id: string;
      name: string;
    }[];

  /** Every row of both tables that names an account or one of its webhooks. */
  const rowsOf = async (accountId: string): Promise<Record<string, unknown>[]> => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new DynamoDBClient({ endpoint: own.stack.dynamoEndpoint, region: 'us-east-1', credentials });
    const all: Record<string, unknown>[] = [];
    for (const name of ['domain-table', 'delivery-table']) {
      const TableName = own.stack.tableName(name);
      for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
        all.push(...Items.map((item) => unmarshall(item)));
      }
    }
    client.destroy();
    const naming = (text: string) => all.filter((row) => JSON.stringify(row).includes(text));
    const webhooks = naming(accountId).filter(({ kind }) => kind === 'webhook');
    return [...new Set([accountId, ...webhooks.map(({ id }) => String(id).slice(4))].flatMap(naming))];
  };

  /** A smoke test by the operator's key, of an API that answers some calls otherwise. */
  const smokeWith = async (answers: (method: string, path: string) => Answer | null, receives = 200) => {
    const said: string[] = [];
    const api = apiAt(own.stack.url);
    const call: Call = async (method, path, ...rest) => answers(method, path) ?? api(method, path, ...rest);
    const ended = smoke({
      call,
      key: { of: 'operator', value: own.stack.operatorKey },
      receiver: { url: own.receiver.open(() => receives).url, takes: receives === 200 },
      listen: null,
      withinMs: 20_000,
      say: (line) => said.push(line),
    });
    const error = await ended.then(
      () => null,
      ({ message }: Error) => message,
    );
    const text = said.join('\n');
    return { text, error, accountId: /an account is made, (acc_\w+)/.exec(text)?.[1] ?? '' };
  };

  test("makes an account by the operator's key and verifies what arrives here", async () => {
    const port = await freePort();

    const { code, out, err } = await run(
      ['--url', own.stack.url, '--receiver', `http://127.0.0.1:${port}/`, '--listen', String(port)],
      { PASSPOST_ADMIN_KEY: own.stack.operatorKey },
    );

    expect(err).toBe('');
    expect(out).toMatch(/an account is made/);
    expect(out).toMatch(/arrived here, and its signature is right/);
    expect(out).toMatch(/✓ webhook, deliveries, content, keys and the account are gone again\n$/);
    expect(out).not.toMatch(/pp_live_|whsec_|left behind/);
    expect(code).toBe(0);
  });

  test.each([
    ['takes', 200],
    ['refuses', 403],
  ])("leaves by the operator's key no account, and no row that does not expire: the receiver %s", async (_, status) => {
    const { accountId, error } = await smokeWith(() => null, status);

    expect(error).toBeNull();
    expect((await accounts()).map(({ id }) => id)).not.toContain(accountId);
    // What was delivered is erased by a command, a moment later.
    const left = await vi.waitFor(async () => {
      const rows = await rowsOf(accountId);
      expect(rows.filter(({ kind, ttl }) => ttl === undefined || kind === 'delivery')).toEqual([]);
      return rows;
    }, 10_000);
    expect([...new Set(left.map(({ kind }) => kind))].toSorted()).toEqual([
      ...['api-key', 'audit', 'command', 'event', 'webhook'],
    ]);
  });

  test.each([404, 405])(
    'says what stays where a former release answers the deletion of accounts %i',
    async (status) => {
      const { text, error, accountId } = await smokeWith((method, path) =>
        method === 'DELETE' && path.includes('/accounts/') ? { status, body: {} } : null,
      );

      expect(error).toBeNull();
      expect(text).toContain(
        `left behind: the account ${accountId} (DELETE: ${status}): releases before 0.2.0 delete no`,
      );
      expect(text).toMatch(/✓ webhook, deliveries, content and keys are gone again$/);
      expect((await accounts()).find(({ id }) => id === accountId)).toMatchObject({ name: 'Smoke test' });
    },
  );

  test('fails with the names of what it could not take away, and with what went wrong before', async () => {
    const broken = { status: 500, body: { title: 'Internal error' } };
    const isDeletion = (method: string, path: string) => method === 'DELETE' && path.startsWith('/v1/webhooks/');

    const kept = await smokeWith((method, path) => (isDeletion(method, path) ? broken : null));
    const failed = await smokeWith((method, path) =>
      isDeletion(method, path) || path.endsWith('/deliveries') ? broken : null,
    );

    expect(kept.error).toMatch(/^something is left behind: the webhook is deleted: 204 was expected, not 500/);
    expect(kept.error).toMatch(
      /the account acc_\w+ is deleted: 204 was expected, not 409 .* still has webhooks \(live\)/,
    );
    expect(failed.error).toMatch(/^the deliveries are listed: 200 .*; and something is left behind: the webhook is/);
  });

  test('leaves nothing behind in an account whose key it is given in a file, refused or not', async () => {
    const client = await own.newClient();
    const folder = mkdtempSync(join(tmpdir(), 'passpost-smoke-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'key'), `${client.key}\n`);
    const args = ['--url', own.stack.url, '--key-file', join(folder, 'key'), '--receiver'];

    const taken = await run([...args, own.receiver.open(() => 200).url]);
    const refused = await run([...args, own.receiver.open(() => 503).url]);

    expect(taken).toMatchObject({ code: 0, err: '', out: expect.stringContaining('delivered to the receiver (200)') });
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('did not take the webhook (503') });
    const { keys, webhooks, events } = await remains(client);
    expect(keys.map(({ name }) => name)).not.toContain('smoke test');
    expect(webhooks).toEqual([]);
    for (const event of events) expect(event.payload_deleted_at).not.toBeNull();
  });

  test('sees without a receiver of the user’s that a POST went out and was answered', async () => {
    const { key } = await own.newClient();
    const said: string[] = [];
    const call = apiAt(own.stack.url);
    const options = { call, listen: null, withinMs: 20_000, say: (line: string) => said.push(line) };
    const refusing = own.receiver.open(() => 403);

    await smoke({ ...options, key: { of: 'account', value: key }, receiver: { url: refusing.url, takes: false } });

    expect(said.join('\n')).toMatch(/left the deployment and was answered by .* \(403\)/);
    const nobody = `http://127.0.0.1:${await freePort()}/`;
    const silent = smoke({ ...options, key: { of: 'account', value: key }, receiver: { url: nobody, takes: false } });
    await expect(silent).rejects.toThrow(/was not answered \(no answer, connection_refused/);
  });

  test.each([
    [['--key', 'pp_live_x'], /Unknown option '--key'/],
    [['--url', 'http://api.example.com'], /takes an https address.*the key is sent there/],
  ])('refuses %o', async (args, message) => {
    const { code, err } = await run(args);

    expect(err).toMatch(message);
    expect(code).toBe(1);
  });

  test('says that nothing answers', async () => {
    const { code, err } = await run(['--url', `http://127.0.0.1:${await freePort()}`], { PASSPOST_API_KEY: 'x' });

    expect(err).toMatch(/✗ nothing answers at .*ECONNREFUSED/);
    expect(code).toBe(1);
  });
});
