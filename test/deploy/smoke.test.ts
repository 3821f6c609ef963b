import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { smoke } from '../../deploy/smoke.ts';
import { freePort } from '../../local/dynoxide.ts';
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

  test("makes an account by the operator's key and verifies what arrives here", async () => {
    const port = await freePort();

    const { code, out, err } = await run(
      ['--url', own.stack.url, '--receiver', `http://127.0.0.1:${port}/`, '--listen', String(port)],
      { PASSPOST_ADMIN_KEY: own.stack.operatorKey },
    );

    expect(err).toBe('');
    expect(out).toMatch(/an account is made/);
    expect(out).toMatch(/arrived here, and its signature is right/);
    expect(out).toMatch(/webhook, deliveries, content and keys are gone again/);
    expect(out).not.toMatch(/pp_live_|whsec_/);
    expect(code).toBe(0);
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
    const options = { url: own.stack.url, listen: null, withinMs: 20_000, say: (line: string) => said.push(line) };
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
