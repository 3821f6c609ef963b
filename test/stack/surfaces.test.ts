import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hourKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { LocalStack } from '../../local/stack.ts';
import type { Json } from '../helpers/api-call.ts';
import { opensslVerifies } from '../helpers/receivers/openssl.ts';
import { verifyWithStripe } from '../helpers/receivers/stripe.ts';
import { startRecordedStack } from '../helpers/recorded-stack.ts';
import { note } from '../secrecy/notes.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('the webhook APIs of PassPost, PassMint, Passcreator and InPost on the whole stack', () => {
  let stack: LocalStack;
  let server: Server;
  let key = '';
  let accountId = '';
  const received: Received[] = [];

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const path = request.url ?? '';
      received.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(path.startsWith('/refuse') ? 500 : 200).end('seen');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    stack = await startRecordedStack({});
    const operator = { authorization: `Bearer ${stack.operatorKey}` };
    const account = { name: 'Surfaces', rate_limit_per_minute: 30_000 };
    ({ key, id: accountId } = (await call('POST', '/api/public/v1/accounts', account, operator)).json);
  }, 120_000);
  afterAll(async () => {
    await stack?.stop();
    server?.closeAllConnections();
    server?.close();
  });

  const call = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const response = await fetch(stack.url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    return { status: response.status, text, json: (/^[[{]/.test(text) ? JSON.parse(text) : {}) as Json };
  };
  const native = (method: string, path: string, body?: object) => call(method, `/api/public/v1${path}`, body);
  const passmint = (method: string, path: string, body?: object) => call(method, `/v1/webhooks${path}`, body);
  const passcreator = (method: string, path: string, body?: object) =>
    call(method, `/api/hook${path}`, body, { authorization: key });
  const receiver = (path: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

  const publish = async (type: string, more: object = {}): Promise<string> => {
    const { status, json } = await native('POST', '/events', { type, data: { pass: { id: 'p-1' } }, ...more });
    expect(status).toBe(202);
    return json.id;
  };
  /** Waits until the path has received `count` requests; returns all its requests. */
  const arrived = async (path: string, count: number): Promise<Received[]> => {
    for (const endMs = Date.now() + 20_000; ; await sleep(20)) {
      const requests = received.filter((request) => request.path === path);
      if (requests.length >= count) return requests;
      if (Date.now() > endMs) throw new Error(`${requests.length} of ${count} requests arrived at ${path}`);
    }
  };
  const last = async (path: string, count: number): Promise<Received> =>
    (await arrived(path, count)).at(-1) ?? { path, headers: {}, body: '' };
  const signed = ({ headers, body }: Received) => ({ headers: headers as Record<string, string>, body });

  it('MT-5, MT-10, MT reading 9, MT reading 10: Stripe’s library verifies a PassMint webhook’s signatures during a rotation; a held delivery is released, and DELETE erases all deliveries', async () => {
    const created = await passmint('POST', '', { url: receiver('/mint'), events: ['*'] });
    const { id, secret } = created.json;
    expect(created.status).toBe(201);

    await publish('pass.installed');
    const first = await last('/mint', 1);
    expect(first.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'passmint-webhooks/1.0',
      'passmint-event-type': 'pass.installed',
    });
    expect(verifyWithStripe(signed(first), secret)).toBe(true);

    const rotated = (await passmint('POST', `/${id}/rotate-secret`, { overlap_seconds: 3600 })).json.secret;
    await publish('pass.removed');
    const second = await last('/mint', 2);
    expect(second.headers['passmint-signature']).toMatch(/^t=\d+,v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/);
    for (const each of [secret, rotated]) expect(verifyWithStripe(signed(second), each)).toBe(true);
    await passmint('POST', `/${id}/rotate-secret`, { overlap_seconds: 0 });
    await publish('pass.updated');
    const third = await last('/mint', 3);
    for (const each of [secret, rotated]) expect(() => verifyWithStripe(signed(third), each)).toThrow();

    await passmint('PATCH', `/${id}`, { enabled: false });
    await publish('pass.voided');
    await stack.settled();
    const held = (await passmint('GET', `/${id}/deliveries?limit=1`)).json;
    expect(held).toMatchObject({ data: [{ type: 'pass.voided', status: 'pending', attempts: 0 }] });
    expect(held.next_cursor).not.toBeNull();
    await passmint('PATCH', `/${id}`, { enabled: true });
    await arrived('/mint', 4);
    await stack.settled();
    const deliveries = (await passmint('GET', `/${id}/deliveries`)).json.data;
    expect(
      deliveries.map(({ status, http_status, response_body }: Json) => [status, http_status, response_body]),
    ).toEqual(Array.from({ length: 4 }, () => ['delivered', 200, 'seen']));

    expect((await passmint('DELETE', `/${id}`)).status).toBe(204);
    for (const path of [`/deliveries/${deliveries[0].id}`, `/webhooks/${id}`]) {
      expect((await native('GET', path)).status).toBe(404);
    }
    await stack.settled();
    expect(await rowsOf(id)).toEqual([]);
  });

  it('DELETE /v1/webhooks/{id} of PassMint erases every row of a delivery whose two attempts were refused', async () => {
    const created = await passmint('POST', '', { url: receiver('/refuse/mint'), events: ['pass.voided'] });
    await native('PATCH', `/webhooks/${created.json.id}`, { schedule: [1] });
    await publish('pass.voided');
    await arrived('/refuse/mint', 2);
    await stack.settled();
    const before = await rowsOf(created.json.id);

    expect((await passmint('DELETE', `/${created.json.id}`)).status).toBe(204);
    await stack.settled();

    expect(before.some((pk) => pk.startsWith('dlv_'))).toBe(true);
    expect(await rowsOf(created.json.id)).toEqual([]);
  });

  // An erase command erases 100 rows of a kind. The fan-out writes the command that erases the rest.
  it('DELETE /v1/webhooks/{id} of PassMint erases 150 rows of hourly counts, which takes two erase commands', async () => {
    const { id } = (await passmint('POST', '', { url: receiver('/quiet'), events: ['pass.voided'] })).json;
    const client = createDynamoClient();
    const TableName = stack.tableName('DELIVERY_TABLE');
    for (let hour = 0; hour < 150; hour++) {
      await client.send(new PutItemCommand({ TableName, Item: marshall(hourKey(id, hour * 3_600_000)) }));
    }
    client.destroy();
    expect(await rowsOf(id)).toHaveLength(150);

    expect((await passmint('DELETE', `/${id}`)).status).toBe(204);
    await stack.settled();

    expect(await rowsOf(id)).toEqual([]);
  });

  it('PC-2, PC-7, PC-8, PC reading 3: OpenSSL verifies the request of a Passcreator subscription to a template, which has the access token; a subscription without retries makes one attempt', async () => {
    await native('PUT', '/templates/key-card', { name: 'Key card' });
    const flags = { target_url: receiver('/creator'), event: 'pass_template_updated', signPayload: true };
    const subscribed = await passcreator('POST', '/subscribe/key-card?generateAccessToken=true', flags);
    await passcreator('POST', '/subscribe', { target_url: receiver('/refuse'), event: 'pass_created' });
    expect([subscribed.status, (await passcreator('POST', '/subscribe/none', flags)).status]).toEqual([201, 404]);

    await native('PUT', '/templates/key-card', { name: 'Key card, new' });
    const { headers, body } = await last('/creator', 1);
    const { signature, signedData, event } = JSON.parse(body);
    note('signature', signature);
    expect(headers.authorization).toBe(`Bearer ${subscribed.json.accessToken}`);
    expect(event).toBe('pass_template_updated');
    const pem = (await passcreator('GET', '/publickey')).json.publicKey;
    expect(opensslVerifies(signedData, signature, pem)).toBe(true);

    const refused = await publish('pass_created');
    await arrived('/refuse', 1);
    await stack.settled();
    expect((await native('GET', `/events/${refused}`)).json.deliveries).toMatchObject([
      { status: 'dead', attempts_made: 1, http_status: 500 },
    ]);

    for (const path of ['/creator', '/refuse']) {
      const removed = await passcreator('DELETE', `/unsubscribe?target_url=${encodeURIComponent(receiver(path))}`);
      expect([removed.status, removed.json]).toEqual([200, {}]);
    }
    expect((await passcreator('GET', '/list')).json).toEqual([]);
    await publish('pass_created');
    await stack.settled();
    expect(received.filter(({ path }) => path === '/refuse')).toHaveLength(1);
  });

  it('IP-5 OpenSSL verifies the ECDSA and the RSA signature of InPost webhooks with the keys that GET /inpost/public-key returns', async () => {
    for (const algorithm of ['ecdsa-p256-sha256', 'rsa-sha256']) {
      const path = `/inpost/${algorithm}`;
      const options = { mechanism: 'digital', signed_content: 'timestamp_body', algorithm };
      const settings = { url: receiver(path), events: ['pass.created'], profile: 'inpost', profile_options: options };
      expect((await native('POST', '/webhooks', { ...settings, allow_http: true })).status).toBe(201);
    }

    await publish('pass.created');

    for (const algorithm of ['ecdsa-p256-sha256', 'rsa-sha256']) {
      const { headers, body } = await last(`/inpost/${algorithm}`, 1);
      const pem = (await call('GET', `/inpost/public-key?account=${accountId}&mode=live&algorithm=${algorithm}`)).text;
      const text = `${headers['x-inpost-timestamp']}.${body}`;
      expect(opensslVerifies(text, String(headers['x-inpost-signature']), pem)).toBe(true);
    }
  });

  it('PP reading 3: a webhook with one signature signs with the previous secret during a rotation’s overlap, and with the newest secret after a rotation without overlap', async () => {
    const settings = { url: receiver('/own'), events: ['task.created'], allow_http: true };
    const { id, secret } = (await native('POST', '/webhooks', settings)).json;
    const rotate = async (overlap_seconds: number): Promise<string> =>
      (await native('POST', `/webhooks/${id}/rotate-secret`, { overlap_seconds })).json.secret;
    const signatureOf = ({ body }: Received, by: string): string =>
      `sha256=${createHmac('sha256', by).update(body).digest('hex')}`;

    await rotate(3600);
    await publish('task.created');
    const during = await last('/own', 1);
    const newest = await rotate(0);
    await publish('task.created');
    const after = await last('/own', 2);

    expect(during.headers['x-passpost-signature']).toBe(signatureOf(during, secret));
    expect(after.headers['x-passpost-signature']).toBe(signatureOf(after, newest));
  });

  it('GET of an unknown path is answered in PassMint’s error format under /v1 and in Passcreator’s error format under /api/hook', async () => {
    expect((await call('GET', '/v1/nothing')).json).toMatchObject({ error: { type: 'invalid_request_error' } });
    expect((await call('GET', '/api/hook/nothing')).json).toEqual({ ErrorMessage: 'No such path.' });
  });

  const createDynamoClient = () =>
    new DynamoDBClient({
      endpoint: stack.dynamoEndpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });

  const rowsOf = async (webhookId: string): Promise<string[]> => {
    const client = createDynamoClient();
    const keys: string[] = [];
    const TableName = stack.tableName('DELIVERY_TABLE');
    for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
      keys.push(...Items.map(({ pk }) => pk?.S ?? ''));
    }
    client.destroy();
    return keys.filter((pk) => pk.includes(webhookId.slice(4)));
  };
});
