import { describe, expect, it, vi } from 'vitest';
import { type AwsAnswer, serverError, throttled } from '../../local/wiring/interceptor.ts';
import type { Fault, FaultKind, FaultPlace } from '../helpers/faults.ts';
import { type Delivery, useWholeStack } from '../helpers/whole-stack.ts';

const accepts = () => 200;
const refuses = () => 500;
const task = {
  item: 'Forgotten passport',
  pickup: { city: 'Oslo', address: 'a' },
  dropoff: { city: 'Oslo', address: 'b' },
};

// At this speed the first wait rides in the queue for 1 s and the second is parked for a moment, then rides for 3 s.
const schedule = [300, 960];

const outcomes = (deliveries: readonly Delivery[]) =>
  deliveries.map(({ status, attempts }) => [status, attempts.length]);
const isKeyCounter = ({ input }: { input: object }): boolean => JSON.stringify(input).includes('"K#');

const eachStatementThrottled: FaultKind = async ({ input }) => {
  const failed = { Error: { Code: 'ProvisionedThroughputExceeded', Message: 'injected' } };
  return { status: 200, body: { Responses: (input.Statements as object[]).map(() => failed) } };
};

describe('a service in trouble', () => {
  const whole = useWholeStack({ speed: 300, visibilityTimeoutSeconds: 2 });
  const orderAll = (kind: FaultKind, times: number, ...places: (readonly [string, string])[]): Fault[] =>
    places.map(([functionName, operation]) => whole.faults.order({ functionName, operation, times }, kind));

  /** Keeps the fault up until a delivery has failed by it: the client library's own tries have all been used. */
  const untilDeliverFails = async (place: Pick<FaultPlace, 'operation'>, kind: FaultKind, start: () => unknown) => {
    whole.logs.length = 0;
    const fault = whole.faults.order({ functionName: 'deliver', ...place }, kind);
    await start();
    const hasFailed = () =>
      whole.logs.some((line) => line.startsWith('deliver ') && line.includes('"outcome":"failed"'));
    await vi.waitFor(() => expect(hasFailed()).toBe(true), { timeout: 15_000 });
    fault.end();
  };

  it.each<[string, Pick<FaultPlace, 'when'>]>([
    ['for the key', { when: isKeyCounter }],
    ['for all but the key', { when: (call) => !isKeyCounter(call) }],
  ])('is no failure of ours to the client, and nothing is half done: tables throttled %s', async (_, place) => {
    const client = await whole.newClient();
    const { id } = await client.addWebhook(accepts, { events: ['task.cancelled'] });
    const { body: created } = await client.call('POST', '/tasks', task);
    const [event] = await client.publish(1, 'task.cancelled');
    const [delivery] = await client.settled({ id }, 1);
    const url = 'http://127.0.0.1:1/';
    const calls: [method: string, path: string, body?: object][] = [
      ['POST', '/tasks', task],
      ['GET', '/tasks'],
      ['GET', `/tasks/${created.id}`],
      ['POST', `/tasks/${created.id}/cancel`, { reason: 'none' }],
      ['POST', '/webhooks', { url, events: ['*'], allow_http: true }],
      ['GET', '/webhooks'],
      ['GET', `/webhooks/${id}`],
      ['PATCH', `/webhooks/${id}`, { enabled: false }],
      ['DELETE', `/webhooks/${id}`],
      ['GET', `/webhooks/${id}/deliveries`],
      ['GET', `/deliveries/${delivery?.id}`],
      ['POST', '/events', { type: 'task.cancelled', data: {} }],
      ['GET', '/events'],
      ['GET', `/events/${event}`],
      ['POST', '/keys', { name: 'Another', scopes: ['tasks:read'] }],
      ['GET', '/keys'],
    ];
    const everything = async () => {
      const [tasks, webhooks, events, keys] = await Promise.all(
        ['/tasks', '/webhooks', '/events', '/keys'].map(async (path) => (await client.call('GET', path)).body.data),
      );
      return { tasks, webhooks, events, keys };
    };
    const before = await everything();
    const fault = whole.faults.order({ functionName: /-api$/, ...place }, throttled);

    const answers = await Promise.all(
      calls.map(async ([method, path, body]) => {
        const answer = await client.call(method, path, body);
        return `${answer.status} ${method} ${path}`;
      }),
    );

    fault.end();
    expect(answers).toEqual(calls.map(([method, path]) => `503 ${method} ${path}`));
    expect(await everything()).toEqual(before);
  });

  it('costs no attempt and no delivery: tables that throttle', async () => {
    const client = await whole.newClient();
    const accepting = await client.addWebhook(accepts);
    const refusing = await client.addWebhook(refuses, { schedule });
    // The client library tries a call four times, and our code a statement five times: one more comes through.
    const statements = ['fan-out', 'due'].map((name) => [name, 'BatchExecuteStatement'] as const);
    const faults = [
      ...orderAll(throttled, 5, ['fan-out', 'BatchGetItem'], ['deliver', 'BatchGetItem'], ['due', 'Query']),
      ...orderAll(throttled, 5, ...statements),
      ...orderAll(eachStatementThrottled, 6, ...statements),
    ];

    await untilDeliverFails({ operation: 'BatchExecuteStatement' }, throttled, () => client.publish(5));

    expect(outcomes(await client.settled(accepting, 5))).toEqual(Array(5).fill(['delivered', 1]));
    expect(outcomes(await client.settled(refusing, 5, 25_000))).toEqual(Array(5).fill(['dead', 3]));
    expect(faults.map(({ hits }) => hits)).toEqual([5, 5, 5, 5, 5, 6, 6]);
  });

  it('believes a record that was made though its answer was lost', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(refuses, { schedule: [600] });
    const lost: FaultKind = async (_, forward) => {
      await forward();
      return serverError;
    };
    const [fault] = orderAll(lost, 1, ['deliver', 'BatchExecuteStatement']);
    const startMs = Date.now();

    await client.publish(3);

    expect(outcomes(await client.settled(webhook, 3))).toEqual(Array(3).fill(['dead', 2]));
    expect(fault?.hits).toBe(1);
    expect(webhook.posts).toHaveLength(6);
    // The next message was sent by whoever made the record, not by the reminder of what is overdue.
    expect(Date.now() - startMs).toBeLessThan(9000);
  });

  it('costs no attempt and no delivery: a queue that takes nothing', async () => {
    const client = await whole.newClient();
    const accepting = await client.addWebhook(accepts);
    const refusing = await client.addWebhook(refuses, { schedule });
    const faults = orderAll(serverError, 5, ['fan-out', 'SendMessageBatch'], ['due', 'SendMessageBatch']);

    await untilDeliverFails({ operation: 'SendMessageBatch' }, serverError, () => client.publish(5));

    expect(outcomes(await client.settled(accepting, 5))).toEqual(Array(5).fill(['delivered', 1]));
    expect(outcomes(await client.settled(refusing, 5, 10_000))).toEqual(Array(5).fill(['dead', 3]));
    expect(faults.map(({ hits }) => hits)).toEqual([5, 5]);
  });

  it('sends what the queue did not take of a batch', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(accepts);
    const none: FaultKind = async ({ input }): Promise<AwsAnswer> => {
      const Failed = (input.Entries as { Id: string }[]).map(({ Id }) => ({
        Id,
        SenderFault: false,
        Code: 'InternalError',
      }));
      return { status: 200, body: { Successful: [], Failed } };
    };
    const [fault] = orderAll(none, 2, ['fan-out', 'SendMessageBatch']);

    await client.publish(5);

    expect(outcomes(await client.settled(webhook, 5))).toEqual(Array(5).fill(['delivered', 1]));
    expect(fault?.hits).toBe(2);
  });

  it('disables a webhook that is gone, although the tables throttle just then', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 410, { profile: 'standard' });
    const [fault] = orderAll(throttled, 4, ['deliver', 'TransactWriteItems']);

    await client.publish(1);

    await client.settled(webhook, 1);
    await vi.waitFor(
      async () => expect((await client.call('GET', `/webhooks/${webhook.id}`)).body).toMatchObject({ enabled: false }),
      { timeout: 10_000 },
    );
    expect(fault?.hits).toBe(4);
    expect(webhook.posts).toHaveLength(1);
  });
});

describe('a keyring out of reach', () => {
  const whole = useWholeStack({ visibilityTimeoutSeconds: 2 });

  it('costs no attempt and no delivery', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(accepts);
    const fault = whole.faults.order({ functionName: 'deliver', operation: 'GetSecretValue', times: 9 }, serverError);

    await client.publish(3);

    expect(outcomes(await client.settled(webhook, 3))).toEqual(Array(3).fill(['delivered', 1]));
    expect(fault.hits).toBe(9);
  });
});
