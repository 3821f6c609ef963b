import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { operations } from '../../lambdas/contract/index.ts';
import { conditionFailed } from '../../local/wiring/interceptor.ts';
import { run } from '../../ops/run.ts';
import type { Json } from '../helpers/api-call.ts';
import { type Client, useWholeStack } from '../helpers/whole-stack.ts';
import { canary } from '../secrecy/notes.ts';

const task = {
  item: 'Forgotten passport',
  category: 'Documents',
  size: 'envelope',
  urgency: 'express',
  reward_nok: 250,
  pickup: { city: 'Oslo', address: 'Kristian IVs gate 7' },
  dropoff: { city: 'Gardermoen', address: 'Oslo Airport, Terminal 2' },
  recipient: { name: canary, phone: '+4790000000' },
  external_reference: 'RES-1',
};
const result = { meta: { code: 200, message: 'OK', details: [], retryable: false }, data: { rates: [canary] } };
const job = { type: 'calculate_rates', input: { shipper_accounts: [canary] } };
const SOON = { timeout: 10_000, interval: 50 };

/** The id of the operation that answers a path. */
const operationAt = (method: string, path: string): string | undefined => {
  const matchesPath = (template: string) => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
  // A path without a parameter has precedence.
  const matching = operations.filter((operation) => operation.method === method && matchesPath(operation.path));
  return matching.toSorted((a, b) => a.path.split('{').length - b.path.split('{').length)[0]?.id;
};

describe('the whole stack on this computer', () => {
  const whole = useWholeStack({ speed: 60 });
  const calledOperations = new Set<string | undefined>();
  let client: Client;
  beforeAll(async () => {
    client = await whole.newClient();
  });

  const callOk = async (key: string, method: string, path: string, body?: object, idempotencyKey?: string) => {
    const response = await fetch(whole.stack.url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    calledOperations.add(operationAt(method, new URL(path, whole.stack.url).pathname));
    return (response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text) as Json;
  };
  const native = (method: string, path: string, body?: object) =>
    callOk(client.key, method, `/api/public/v1${path}`, body);
  /** Sends the same request twice with an idempotency key, and expects the same response. */
  const twice = async (path: string, body: object, key = client.key): Promise<Json> => {
    const first = await callOk(key, 'POST', `/api/public/v1${path}`, body, path);
    const second = await callOk(key, 'POST', `/api/public/v1${path}`, body, path);
    expect(first).toMatchObject(second);
    return first;
  };

  it('completes a task and cancels another task; GET /tasks finds one cancelled task, and both tasks by external_reference; the cancelled task loses its recipient by DELETE of its personal data', async () => {
    const { id } = await twice('/tasks', task);
    for (const move of ['accept', 'pick-up', 'deliver', 'complete']) await native('POST', `/tasks/${id}/${move}`);
    const other = await native('POST', '/tasks', task);
    await native('POST', `/tasks/${other.id}/cancel`, { reason: 'The guest came back for it.' });

    expect((await native('GET', `/tasks/${id}`)).status).toBe('completed');
    expect((await native('GET', '/tasks?status=cancelled')).data).toHaveLength(1);
    await vi.waitFor(async () => {
      expect((await native('GET', '/tasks?external_reference=RES-1')).data).toHaveLength(2);
    }, SOON);
    await native('DELETE', `/tasks/${other.id}/personal-data`);
    expect(await native('GET', `/tasks/${other.id}`)).toMatchObject({ status: 'cancelled', recipient: null });
  });

  it('delivers a webhook’s dead deliveries after POST /deliveries/{id}/retry and POST /webhooks/{id}/recover, and counts refusals in its stats', async () => {
    const endpoint = whole.receiver.open(({ number }) => (number === 1 ? 500 : 200));
    const settings = {
      url: `${endpoint.url}?token=of-a-till-4711`,
      events: ['task.accepted'],
      allow_http: true,
      schedule: [],
      basic_auth: { username: 'till', password: 'not-to-be-told-4711' },
      headers: { 'x-shop': 'shop-secret-4711' },
    };
    const { id } = await twice('/webhooks', settings);
    await native('PATCH', `/webhooks/${id}`, { events: ['task.accepted', 'task.created'], description: 'a till' });
    await twice(`/webhooks/${id}/rotate-secret`, { overlap_seconds: 60 });
    await twice(`/webhooks/${id}/test`, {});
    const dead = async (count: number): Promise<Json[]> => {
      const { data } = await native('GET', `/webhooks/${id}/deliveries?status=dead`);
      expect(data).toHaveLength(count);
      return data;
    };

    const [sample] = await vi.waitFor(() => dead(1), SOON);
    await native('POST', `/deliveries/${sample.id}/retry`);
    await vi.waitFor(() => dead(0), SOON);
    await native('POST', '/events', { type: 'task.created', data: {} });
    await vi.waitFor(() => dead(1), SOON);
    const window = { since: new Date(Date.now() - 3_600_000).toISOString(), until: new Date().toISOString() };
    expect((await native('POST', `/webhooks/${id}/recover`, { ...window, dry_run: true })).count).toBe(1);
    await twice(`/webhooks/${id}/recover`, window);
    await vi.waitFor(() => dead(0), SOON);

    expect((await native('GET', `/deliveries/${sample.id}`)).attempts).toHaveLength(2);
    const { hours } = await native('GET', `/webhooks/${id}/stats`);
    expect(hours.reduce((sum: number, hour: Json) => sum + hour.refused, 0)).toBeGreaterThan(0);
    expect((await native('GET', '/webhooks')).data).toEqual([await native('GET', `/webhooks/${id}`)]);
    await native('DELETE', `/webhooks/${id}`);
  });

  it('publishes a single event and a batch, shows a replay’s delivery with the event, and shows data null after DELETE of the payload', async () => {
    expect((await native('PUT', '/event-types/order.paid', { description: 'An order was paid' })).name).toBe(
      'order.paid',
    );
    const { id: webhookId } = await client.addWebhook(() => 200, { events: ['order.paid'] });
    const one = await native('POST', '/events', { id: 'order-1', type: 'order.paid', data: { n: 1 } });
    expect(await native('POST', '/events', { id: 'order-1', type: 'order.paid', data: { n: 1 } })).toEqual(one);
    await twice('/events', {
      events: [
        { type: 'order.paid', data: { n: 2 } },
        { type: 'order.paid', data: { n: 3 } },
      ],
    });
    await client.listedSettled({ id: webhookId }, 3);

    const replayed = await native('POST', `/events/${one.id}/replay`, { webhook_id: webhookId });
    await whole.stack.settled();
    await twice(`/events/${one.id}/replay`, {});
    await client.listedSettled({ id: webhookId }, 3);
    expect((await native('GET', `/events/${one.id}`)).deliveries[0].id).toBe(replayed.delivery_ids[0]);
    expect((await native('GET', '/events?type=order.paid')).data).toHaveLength(3);
    await native('DELETE', `/events/${one.id}/payload`);
    expect((await native('GET', `/events/${one.id}`)).data).toBeNull();

    await native('DELETE', `/webhooks/${webhookId}`);
    expect((await native('GET', '/event-types')).data.map(({ name }: Json) => name)).toContain('order.paid');
    await native('DELETE', '/event-types/order.paid');
  });

  it('delivers 16 events to a receiver that needs 1.2 s, from the slow lane, although another instance has already set probed_until', async () => {
    const webhook = await client.addWebhook(() => sleep(1200, 200), { events: ['task.created'] });
    const otherInstance = whole.faults.inject(
      {
        functionName: 'deliver',
        when: ({ input }) => /^SET probed_until/.test(String(input.UpdateExpression)),
        times: 1,
      },
      conditionFailed,
    );

    await client.publish(16, 'task.created');

    await client.listedSettled(webhook, 16);
    expect(otherInstance.hits).toBe(1);
    expect(whole.logs.some((line) => line.startsWith('deliver ') && line.includes('"lane":"slow"'))).toBe(true);
    await native('DELETE', `/webhooks/${webhook.id}`);
  });

  it('creates, changes and deletes a template; GET /templates lists exactly that template as GET /templates/{id} returns it', async () => {
    await native('PUT', '/templates/key-card', { name: 'Key card' });
    await native('PUT', '/templates/key-card', { name: 'Key card, new' });

    expect((await native('GET', '/templates')).data).toEqual([await native('GET', '/templates/key-card')]);
    await native('DELETE', '/templates/key-card');
  });

  it('answers a waiting POST /jobs with the result of POST /jobs/{id}/complete, and delivers the event of an async job to a webhook; DELETE /jobs/{id} removes that job', async () => {
    const waiting = native('POST', '/jobs', job);
    const [pending] = await vi.waitFor(async () => {
      const { data } = await native('GET', '/jobs?status=pending');
      expect(data).toHaveLength(1);
      return data;
    }, SOON);
    await native('POST', `/jobs/${pending.id}/complete`, result);
    expect(await waiting).toEqual(result);

    const { id: webhookId } = await client.addWebhook(() => 200, { events: ['*'], profile: 'postmen' });
    const { id } = await twice('/jobs', { ...job, async: true });
    await native('POST', `/jobs/${id}/complete`, result);
    await client.listedSettled({ id: webhookId }, 1);
    expect((await native('GET', `/jobs/${id}`)).status).toBe('completed');
    await native('DELETE', `/jobs/${id}`);
    expect((await native('GET', '/jobs?limit=100')).data.map((listed: Json) => listed.id)).not.toContain(id);
  });

  it('GET /keys lists three API keys of an account after a second key is created and rotated, and two after the rotated key is deleted', async () => {
    const { id } = await twice('/keys', { name: 'till', scopes: ['tasks:read'] });
    await twice(`/keys/${id}/rotate`, { overlap_seconds: 60 });

    expect((await native('GET', '/keys')).data).toHaveLength(3);
    await native('DELETE', `/keys/${id}`);
    expect((await native('GET', '/keys')).data).toHaveLength(2);
  });

  it('lists the action key.revoked at GET /audit', async () => {
    const { data } = await native('GET', '/audit');
    expect(data.map(({ action }: Json) => action)).toContain('key.revoked');
  });

  it('lets the operator create an account, change its rate limit to 600, and delete it, so that GET /accounts no longer lists it', async () => {
    const asOperator = (method: string, path: string, body?: object) =>
      callOk(whole.stack.operatorKey, method, `/api/public/v1${path}`, body);
    const { id } = await twice('/accounts', { name: 'Another' }, whole.stack.operatorKey);

    await asOperator('PATCH', `/accounts/${id}`, { rate_limit_per_minute: 600 });

    expect(await asOperator('GET', `/accounts/${id}`)).toMatchObject({ name: 'Another', rate_limit_per_minute: 600 });
    expect((await asOperator('GET', '/accounts')).data.map((account: Json) => account.id)).toContain(id);
    await asOperator('DELETE', `/accounts/${id}`);
    expect((await asOperator('GET', '/accounts')).data.map((account: Json) => account.id)).not.toContain(id);
  });

  it('lets the operator create an operator, rotate its key twice with one Idempotency-Key, list and delete it', async () => {
    const asOperator = (method: string, path: string) =>
      callOk(whole.stack.operatorKey, method, `/api/public/v1${path}`);
    const { id } = await twice('/operators', { name: 'Night shift' }, whole.stack.operatorKey);

    const rotated = await twice(`/operators/${id}/rotate`, {}, whole.stack.operatorKey);

    expect(rotated.id).toBe(id);
    expect((await asOperator('GET', '/operators')).data.map((operator: Json) => operator.id)).toContain(id);
    await asOperator('DELETE', `/operators/${id}`);
    expect((await asOperator('GET', '/operators')).data.map((operator: Json) => operator.id)).not.toContain(id);
  });

  it('gives the first operator a new key by rotate-operator-key, and the former key stays valid for the overlap', async () => {
    await run(['rotate-operator-key', '--overlap-seconds', '3600', '--local', '--json'], whole.stack.dataFolder);

    await callOk(whole.stack.operatorKey, 'GET', '/api/public/v1/accounts');
  });

  it('rotates the signing keys of the account by POST /signing-keys/rotate, and lists and publishes the current and the next key', async () => {
    await native('POST', '/signing-keys/rotate', { algorithm: 'ES256' });
    const { data } = await twice('/signing-keys/rotate', { overlap_seconds: 3600 });

    expect(data.map(({ status }: Json) => status)).toEqual(['next', 'current']);
    expect((await native('GET', '/signing-keys')).data).toEqual(data);
    const { keys } = await callOk('', 'GET', `/accounts/${client.accountId}/live/jwks.json`);
    expect(keys.map(({ kid }: Json) => kid)).toEqual([data[1].kid, data[0].kid]);
  });

  it('serves health, the API description and the public keys without an API key, and lists profiles with an API key', async () => {
    const ofAccount = [
      `/accounts/${client.accountId}/live/jwks.json`,
      `/inpost/public-key?account=${client.accountId}&mode=live`,
    ];
    for (const path of ['/health', '/api/public/v1/openapi.json', '/.well-known/jwks.json', ...ofAccount]) {
      await callOk('', 'GET', path);
    }
    expect((await native('GET', '/profiles')).data).not.toHaveLength(0);
  });

  it('answered every operation of the API successfully at least once in the tests above', () => {
    expect(operations.map(({ id }) => id).filter((id) => !calledOperations.has(id))).toEqual([]);
  });
});
