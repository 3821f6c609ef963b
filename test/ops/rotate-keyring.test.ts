import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callApi } from '../../local/cli/api-client.ts';
import type { LocalStack } from '../../local/stack.ts';
import { run } from '../../ops/run.ts';
import { startRecordedStack } from '../helpers/recorded-stack.ts';

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

describe('rotate-keyring on a running stack', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'passpost-rotation-'));
  const received: Received[] = [];
  const receiver = createServer(async (request, response) => {
    received.push({ headers: request.headers as Record<string, string>, body: await text(request) });
    response.end();
  });
  let stack: LocalStack;
  let key: string;
  const call = async (method: string, path: string, body?: object) =>
    (await callApi(stack.url, key, method, path, body)).body;
  beforeAll(async () => {
    await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
    stack = await startRecordedStack({ dataDir });
    key = String((await callApi(stack.url, stack.operatorKey, 'POST', '/accounts', { name: 'Test' })).body.key);
  });
  afterAll(async () => {
    await stack?.stop();
    receiver.closeAllConnections();
    receiver.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** Registers a webhook and returns its secret. */
  const register = async (): Promise<string> => {
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const webhook = { url, events: ['task.accepted'], profile: 'standard', allow_http: true };
    return String((await call('POST', '/webhooks', webhook)).secret);
  };
  /** Publishes an event, and returns the requests to the webhooks. */
  const deliver = async (webhooks: number): Promise<Received[]> => {
    received.length = 0;
    await call('POST', '/events', { type: 'task.accepted', data: {} });
    for (const endMs = Date.now() + 10_000; received.length < webhooks; ) {
      if (Date.now() > endMs) throw new Error(`The receiver got ${received.length} of ${webhooks} requests.`);
      await new Promise((next) => setTimeout(next, 20));
    }
    return [...received];
  };
  const isSignedWith = (secret: string, { headers, body }: Received): boolean => {
    try {
      new Webhook(secret).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  };

  it('adds a sealing pair: a webhook from before and a webhook from after the rotation both get requests that their secrets verify', async () => {
    const old = await register();
    await deliver(1);

    const output = await run(['rotate-keyring', '--local'], dataDir);
    const fresh = await register();
    const requests = await deliver(2);

    expect(output).toMatch(/^The sealing pair \S{16} was added and published\.$/);
    for (const secret of [old, fresh]) {
      expect(requests.filter((request) => isSignedWith(secret, request))).toHaveLength(1);
    }
  });
});
