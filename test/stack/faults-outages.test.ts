import { describe, expect, it, vi } from 'vitest';
import { type AwsAnswer, serverError, throttled } from '../../local/wiring/interceptor.ts';
import type { Fault, FaultKind, FaultTarget } from '../helpers/faults.ts';
import { type Delivery, useWholeStack } from '../helpers/whole-stack.ts';

const accepts = () => 200;
const refuses = () => 500;
const task = {
  item: 'Forgotten passport',
  pickup: { city: 'Oslo', address: 'a' },
  dropoff: { city: 'Oslo', address: 'b' },
};

// At this speed the first retry waits 1 s in the queue. The second retry is parked briefly and then waits 3 s in the queue.
const schedule = [300, 960];

const outcomes = (deliveries: readonly Delivery[]) =>
  deliveries.map(({ status, attempts }) => [status, attempts.length]);
const isKeyCounter = ({ input }: { input: object }): boolean => JSON.stringify(input).includes('"K#');

const eachStatementThrottled: FaultKind = async ({ input }) => {
  const failed = { Error: { Code: 'ProvisionedThroughputExceeded', Message: 'injected' } };
  return { status: 200, body: { Responses: (input.Statements as object[]).map(() => failed) } };
};

describe('an outage of DynamoDB or SQS', () => {
  const whole = useWholeStack({ speed: 300, visibilityTimeoutSeconds: 2 });
  const injectAll = (kind: FaultKind, times: number, ...targets: (readonly [string, string])[]): Fault[] =>
    targets.map(([functionName, operation]) => whole.faults.inject({ functionName, operation, times }, kind));

  /** Injects the fault until a delivery has failed, that is, until the SDK has used all of its tries. */
  const untilDeliverFails = async (target: Pick<FaultTarget, 'operation'>, kind: FaultKind, start: () => unknown) => {
    whole.logs.length = 0;
    const fault = whole.faults.inject({ functionName: 'deliver', ...target }, kind);
    await start();
    const hasFailed = () =>
      whole.logs.some((line) => line.startsWith('deliver ') && line.includes('"outcome":"failed"'));
    await vi.waitFor(() => expect(hasFailed()).toBe(true), { timeout: 15_000 });
    fault.end();
  };

  it.each<[string, Pick<FaultTarget, 'when'>]>([
    ['the API key’s request counter', { when: isKeyCounter }],
    ['every call except the API key’s request counter', { when: (call) => !isKeyCounter(call) }],
  ])('when the tables throttle %s, 16 operations of the API answer 503 and change nothing', async (_, target) => {
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
    const fault = whole.faults.inject({ functionName: /-api$/, ...target }, throttled);

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

  it('when the tables throttle fan-out, due and deliver, five accepted deliveries still have one attempt and five refused ones all three', async () => {
    const client = await whole.newClient();
    const accepting = await client.addWebhook(accepts);
    const refusing = await client.addWebhook(refuses, { schedule });
    // The SDK tries a call four times and the functions try a statement five times, so one more try is successful.
    const statements = ['fan-out', 'due'].map((name) => [name, 'BatchExecuteStatement'] as const);
    const faults = [
      ...injectAll(throttled, 5, ['fan-out', 'BatchGetItem'], ['deliver', 'BatchGetItem'], ['due', 'Query']),
      ...injectAll(throttled, 5, ...statements),
      ...injectAll(eachStatementThrottled, 6, ...statements),
    ];

    await untilDeliverFails({ operation: 'BatchExecuteStatement' }, throttled, () => client.publish(5));

    expect(outcomes(await client.settled(accepting, 5))).toEqual(Array(5).fill(['delivered', 1]));
    expect(outcomes(await client.settled(refusing, 5, 25_000))).toEqual(Array(5).fill(['dead', 3]));
    expect(faults.map(({ hits }) => hits)).toEqual([5, 5, 5, 5, 5, 6, 6]);
  });

  it('when DynamoDB’s response to a recorded attempt is lost, the attempt is not repeated: three deliveries have two attempts each and six POSTs', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(refuses, { schedule: [600] });
    const lost: FaultKind = async (_, forward) => {
      await forward();
      return serverError;
    };
    const [fault] = injectAll(lost, 1, ['deliver', 'BatchExecuteStatement']);
    const startMs = Date.now();

    await client.publish(3);

    expect(outcomes(await client.settled(webhook, 3))).toEqual(Array(3).fill(['dead', 2]));
    expect(fault?.hits).toBe(1);
    expect(webhook.posts).toHaveLength(6);
    // The next message was sent by the function that recorded the attempt, not by the sweep of overdue deliveries.
    expect(Date.now() - startMs).toBeLessThan(9000);
  });

  it('when SQS refuses all messages, five accepted deliveries still have one attempt and five refused ones all three', async () => {
    const client = await whole.newClient();
    const accepting = await client.addWebhook(accepts);
    const refusing = await client.addWebhook(refuses, { schedule });
    const faults = injectAll(serverError, 5, ['fan-out', 'SendMessageBatch'], ['due', 'SendMessageBatch']);

    await untilDeliverFails({ operation: 'SendMessageBatch' }, serverError, () => client.publish(5));

    expect(outcomes(await client.settled(accepting, 5))).toEqual(Array(5).fill(['delivered', 1]));
    expect(outcomes(await client.settled(refusing, 5, 10_000))).toEqual(Array(5).fill(['dead', 3]));
    expect(faults.map(({ hits }) => hits)).toEqual([5, 5]);
  });

  it('when SQS refuses all entries of a batch twice, the fan-out sends them again and five deliveries have one attempt each', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(accepts);
    const allEntriesFail: FaultKind = async ({ input }): Promise<AwsAnswer> => {
      const Failed = (input.Entries as { Id: string }[]).map(({ Id }) => ({
        Id,
        SenderFault: false,
        Code: 'InternalError',
      }));
      return { status: 200, body: { Successful: [], Failed } };
    };
    const [fault] = injectAll(allEntriesFail, 2, ['fan-out', 'SendMessageBatch']);

    await client.publish(5);

    expect(outcomes(await client.settled(webhook, 5))).toEqual(Array(5).fill(['delivered', 1]));
    expect(fault?.hits).toBe(2);
  });

  it('when the table throttles four writes after a receiver answered 410, the webhook is still disabled, after one POST', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 410, { profile: 'standard' });
    const [fault] = injectAll(throttled, 4, ['deliver', 'TransactWriteItems']);

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

describe('an outage of Secrets Manager', () => {
  const whole = useWholeStack({ visibilityTimeoutSeconds: 2 });

  it('in which deliver fails to read the keyring nine times: three deliveries are still delivered with one attempt each', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(accepts);
    const fault = whole.faults.inject({ functionName: 'deliver', operation: 'GetSecretValue', times: 9 }, serverError);

    await client.publish(3);

    expect(outcomes(await client.settled(webhook, 3))).toEqual(Array(3).fill(['delivered', 1]));
    expect(fault.hits).toBe(9);
  });
});

describe('a call of AWS that is never answered', () => {
  const whole = useWholeStack({ visibilityTimeoutSeconds: 30 });
  const hangs: FaultKind = () => new Promise(() => undefined);

  // An environment reads the keyring once, so GetSecretValue comes first.
  it.each(['GetSecretValue', 'BatchGetItem', 'BatchExecuteStatement'])(
    'when %s of deliver hangs once, ten deliveries are still delivered within 15 s with one attempt and one POST each',
    async (operation) => {
      const client = await whole.newClient();
      const webhook = await client.addWebhook(accepts);
      const fault = whole.faults.inject({ functionName: 'deliver', operation, times: 1 }, hangs);

      await client.publish(10);

      expect(outcomes(await client.settled(webhook, 10, 15_000))).toEqual(Array(10).fill(['delivered', 1]));
      expect(fault.hits).toBe(1);
      expect(webhook.posts).toHaveLength(10);
    },
  );

  it('when every call of one webhook’s rate limit hangs, the deliveries of another webhook are delivered within 15 s with one POST each', async () => {
    const client = await whole.newClient();
    const paced = await client.addWebhook(accepts, { max_per_second: 100 });
    const other = await client.addWebhook(accepts);
    const isPaced = ({ input }: { input: object }): boolean => JSON.stringify(input).includes(paced.id);
    const fault = whole.faults.inject({ functionName: 'deliver', operation: 'UpdateItem', when: isPaced }, hangs);

    await client.publish(5);

    expect(outcomes(await client.settled(other, 5, 15_000))).toEqual(Array(5).fill(['delivered', 1]));
    expect(other.posts).toHaveLength(5);
    expect(fault.hits).toBeGreaterThan(0);
    expect(paced.posts).toEqual([]);
  });
});
