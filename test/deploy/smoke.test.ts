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
import { type ApiResponse, apiAt, type Call } from '../../deploy/api.ts';
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
  const whole = useWholeStack({});

  /** The keys, webhooks and events that an account has after a smoke test. */
  const readAccount = async (client: Awaited<ReturnType<typeof whole.newClient>>) => {
    const [keys, webhooks, events] = await Promise.all(
      ['/keys', '/webhooks', '/events'].map(async (path) => (await client.call('GET', path)).body.data),
    );
    return { keys, webhooks, events } as Record<'keys' | 'webhooks' | 'events', Record<string, unknown>[]>;
  };

  const accounts = async () =>
    (await callApi(whole.stack.url, whole.stack.operatorKey, 'GET', '/accounts?limit=100')).body.data as readonly {
      id: string;
      name: string;
    }[];

  /** Every row of the three tables that contains the id of the account or of one of its webhooks. */
  const rowsOf = async (accountId: string): Promise<Record<string, unknown>[]> => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new DynamoDBClient({ endpoint: whole.stack.dynamoEndpoint, region: 'us-east-1', credentials });
    const all: Record<string, unknown>[] = [];
    for (const name of ['domain-table', 'delivery-table', 'credentials-table']) {
      const TableName = whole.stack.tableName(name);
      for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
        all.push(...Items.map((item) => unmarshall(item)));
      }
    }
    client.destroy();
    const rowsWith = (text: string) => all.filter((row) => JSON.stringify(row).includes(text));
    const webhooks = rowsWith(accountId).filter(({ kind }) => kind === 'webhook');
    return [...new Set([accountId, ...webhooks.map(({ id }) => String(id).slice(4))].flatMap(rowsWith))];
  };

  /** Runs a smoke test with the operator's key. `answers` replaces the API's response to some calls. */
  const smokeWith = async (answers: (method: string, path: string) => ApiResponse | null, receiverStatus = 200) => {
    const lines: string[] = [];
    const api = apiAt(whole.stack.url);
    const call: Call = async (method, path, ...rest) => answers(method, path) ?? api(method, path, ...rest);
    const result = smoke({
      call,
      key: { of: 'operator', value: whole.stack.operatorKey },
      receiver: { url: whole.receiver.open(() => receiverStatus).url, accepts: receiverStatus === 200 },
      listen: null,
      withinMs: 20_000,
      say: (line) => lines.push(line),
    });
    const error = await result.then(
      () => null,
      ({ message }: Error) => message,
    );
    const text = lines.join('\n');
    return { text, error, accountId: /created the account (acc_\w+)/.exec(text)?.[1] ?? '' };
  };

  test("run with the operator's key and --listen, reports a new account, a valid signature and the clean-up, and prints no key or secret", async () => {
    const port = await freePort();

    const { code, out, err } = await run(
      ['--url', whole.stack.url, '--receiver', `http://127.0.0.1:${port}/`, '--listen', String(port)],
      { PASSPOST_ADMIN_KEY: whole.stack.operatorKey },
    );

    expect(err).toBe('');
    expect(out).toMatch(/created the account acc_/);
    expect(out).toMatch(/arrived at this machine with a valid signature/);
    expect(out).toMatch(
      /✓ The smoke test deleted the webhook, its deliveries, the event's content, the keys and the account\n$/,
    );
    expect(out).not.toMatch(/pp_live_|whsec_|not deleted/);
    expect(code).toBe(0);
  });

  test.each([
    ['accepts', 200],
    ['refuses', 403],
  ])(
    "run with the operator's key, deletes its account and its deliveries and leaves only rows with a TTL, when the receiver %s the POST with %i",
    async (_, status) => {
      const { accountId, error } = await smokeWith(() => null, status);

      expect(error).toBeNull();
      expect((await accounts()).map(({ id }) => id)).not.toContain(accountId);
      // A command erases the deliveries a moment later.
      const remaining = await vi.waitFor(async () => {
        const rows = await rowsOf(accountId);
        expect(rows.filter(({ kind, ttl }) => ttl === undefined || kind === 'delivery')).toEqual([]);
        return rows;
      }, 10_000);
      expect([...new Set(remaining.map(({ kind }) => kind))].toSorted()).toEqual([
        ...['api-key', 'audit', 'command', 'event', 'webhook'],
      ]);
    },
  );

  test.each([404, 405])(
    'passes and reports that its account is not deleted when DELETE /accounts/{id} answers %i, as a release before 0.2.0 does',
    async (status) => {
      const { text, error, accountId } = await smokeWith((method, path) =>
        method === 'DELETE' && path.includes('/accounts/') ? { status, body: {} } : null,
      );

      expect(error).toBeNull();
      expect(text).toContain(
        `The account ${accountId} was not deleted (DELETE answered ${status}): releases before 0.2.0 cannot delete`,
      );
      expect(text).toMatch(/✓ The smoke test deleted the webhook, its deliveries, the event's content and the keys$/);
      expect((await accounts()).find(({ id }) => id === accountId)).toMatchObject({ name: 'Smoke test' });
    },
  );

  test('fails when deleting its webhook answers 500; the error names an earlier failure first, then everything that was not deleted', async () => {
    const broken = { status: 500, body: { title: 'Internal error' } };
    const isDeletion = (method: string, path: string) => method === 'DELETE' && path.startsWith('/v1/webhooks/');

    const undeleted = await smokeWith((method, path) => (isDeletion(method, path) ? broken : null));
    const failed = await smokeWith((method, path) =>
      isDeletion(method, path) || path.endsWith('/deliveries') ? broken : null,
    );

    expect(undeleted.error).toMatch(
      /^Not everything was deleted: deleting the webhook: the API answered 500 instead of 204/,
    );
    expect(undeleted.error).toMatch(
      /deleting the account acc_\w+: the API answered 409 instead of 204 .* still has webhooks \(live\)/,
    );
    expect(failed.error).toMatch(
      /^listing the deliveries: the API answered 500 instead of 200 .*\. Not everything was deleted: deleting the webhook/,
    );
  });

  test.each([
    [500, { message: 'Internal Server Error' }, /a call to an unknown path: the API answered 500 instead of 404/],
    [404, { message: 'Not Found' }, /The gateway itself answered a call to an unknown path/],
  ])('fails when an unknown path gets the status %i with the body %o of the gateway', async (status, body, message) => {
    const { error, text } = await smokeWith((_, path) => (path === '/no-such-path' ? { status, body } : null));

    expect(error).toMatch(message);
    expect(text).toBe('');
  });

  test("run with an account key read from a file, deletes its own key and webhook and erases its event's payload, whether the receiver accepts (exit code 0) or refuses (exit code 1)", async () => {
    const client = await whole.newClient();
    const folder = mkdtempSync(join(tmpdir(), 'passpost-smoke-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'key'), `${client.key}\n`);
    const args = ['--url', whole.stack.url, '--key-file', join(folder, 'key'), '--receiver'];

    const accepted = await run([...args, whole.receiver.open(() => 200).url]);
    const refused = await run([...args, whole.receiver.open(() => 503).url]);

    expect(accepted).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('delivered to the receiver, which answered 200'),
    });
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('did not accept the webhook (503') });
    const { keys, webhooks, events } = await readAccount(client);
    expect(keys.map(({ name }) => name)).not.toContain('smoke test');
    expect(webhooks).toEqual([]);
    for (const event of events) expect(event.payload_deleted_at).not.toBeNull();
  });

  test('with a receiver that need not accept, passes when the receiver answers 403, and fails when the connection is refused', async () => {
    const { key } = await whole.newClient();
    const lines: string[] = [];
    const call = apiAt(whole.stack.url);
    const options = { call, listen: null, withinMs: 20_000, say: (line: string) => lines.push(line) };
    const refusing = whole.receiver.open(() => 403);

    await smoke({ ...options, key: { of: 'account', value: key }, receiver: { url: refusing.url, accepts: false } });

    expect(lines.join('\n')).toMatch(/sent an event as a POST, and .* answered 403/);
    const unusedUrl = `http://127.0.0.1:${await freePort()}/`;
    const silent = smoke({
      ...options,
      key: { of: 'account', value: key },
      receiver: { url: unusedUrl, accepts: false },
    });
    await expect(silent).rejects.toThrow(/got no answer \(no answer, connection_refused/);
  });

  test.each([
    ['the unknown option --key', ['--key', 'pp_live_x'], /Unknown option '--key'/],
    ['an http address as --url', ['--url', 'http://api.example.com'], /takes an https address.*the key is sent there/],
  ])('run with %s, exits with code 1 and names the mistake', async (_, args, message) => {
    const { code, err } = await run(args);

    expect(err).toMatch(message);
    expect(code).toBe(1);
  });

  test('run with a --url where nothing answers, exits with code 1 and reports “No response” and ECONNREFUSED', async () => {
    const { code, err } = await run(['--url', `http://127.0.0.1:${await freePort()}`], { PASSPOST_API_KEY: 'x' });

    expect(err).toMatch(/✗ No response from .*ECONNREFUSED/);
    expect(code).toBe(1);
  });
});
