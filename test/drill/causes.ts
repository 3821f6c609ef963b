import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { env } from '../../lambdas/runtime/env.ts';
import type { AlarmId } from '../../lib/alarm-rules.ts';
import { callApi, refusalOf } from '../../local/cli/api-client.ts';
import type { LocalStack } from '../../local/stack.ts';
import { readStackFile } from '../../local/state/stack-file.ts';
import { type AwsAnswer, type AwsCall, throttled } from '../../local/wiring/interceptor.ts';
import type { Faults } from '../helpers/faults.ts';
import type { Endpoint, Responder, WebhookReceiver } from '../helpers/webhook-receiver.ts';

export interface Scene {
  readonly stack: LocalStack;
  readonly faults: Faults;
  readonly receiver: WebhookReceiver;
  /** API key of an account. */
  readonly key: string;
  /** Real milliseconds that one minute of the stack takes. */
  readonly minuteMs: number;
  /** When the stack began to record metrics. */
  readonly startMs: number;
}

/** A failure that sets alarms off. */
export interface Cause {
  readonly description: string;
  readonly alarms: readonly AlarmId[];
  /** Causes the failure. The returned function ends it. */
  begin(scene: Scene): Promise<() => unknown>;
}

/** An error that the SDK does not retry. */
const denied: AwsAnswer = { status: 400, body: { __type: 'AccessDeniedException', message: 'ordered by the drill' } };
const keys = { region: 'us-east-1', credentials: { accessKeyId: 'drill', secretAccessKey: 'drill' } };

const addWebhook = async ({ stack, key, receiver }: Scene, answer: Responder, more: object = {}): Promise<Endpoint> => {
  const endpoint = receiver.open(answer);
  const body = { url: endpoint.url, events: ['task.accepted'], allow_http: true, ...more };
  const made = await callApi(stack.url, key, 'POST', '/webhooks', body);
  if (made.status !== 201) throw new Error(`The webhook was not created: ${refusalOf(made)}`);
  return endpoint;
};

const publish = ({ stack, key }: Scene, count = 1) =>
  callApi(stack.url, key, 'POST', '/events', {
    events: Array.from({ length: count }, (_, n) => ({ type: 'task.accepted', data: { n } })),
  });

/** Calls `act` at this interval until the returned function is called. Errors of `act` are ignored. */
const repeat = (everyMs: number, act: () => Promise<unknown>): (() => void) => {
  const timer = setInterval(() => void act().catch(() => undefined), everyMs);
  return () => clearInterval(timer);
};

const sqsOf = ({ stack }: Scene): { sqs: SQSClient; url: string } => {
  const { environment } = stack.definitionOf('deliver');
  return {
    sqs: new SQSClient({ ...keys, endpoint: environment.AWS_ENDPOINT_URL_SQS ?? '', md5: false }),
    url: environment[env.slowQueueUrl] ?? '',
  };
};

const switchMapping = async (
  { stack }: Scene,
  name: 'deliveries' | 'slow' | 'stream',
  Enabled: boolean,
): Promise<void> => {
  const { endpoints, resources } = readStackFile(stack.dataFolder) ?? { endpoints: { lambda: '' }, resources: [] };
  const mapping = resources.find(
    ({ type, logicalId }) => /SourceMapping$/.test(type) && logicalId.includes(`${name}mapping`),
  );
  const url = `${endpoints.lambda}/2015-03-31/event-source-mappings/${mapping?.physicalId}`;
  const answer = await fetch(url, { method: 'PUT', body: JSON.stringify({ Enabled }) });
  if (!answer.ok) throw new Error(`The mapping of ${name} cannot be switched: ${await answer.text()}`);
};

/** Calls `act` `count` times, at most `concurrency` at the same time. */
const times = async (count: number, concurrency: number, act: () => Promise<unknown>): Promise<void> => {
  let remaining = count;
  const worker = async (): Promise<void> => {
    while (remaining-- > 0) await act();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
};

/** The account has no concurrency left for this function, so no invocation of it starts. */
const startsNothing =
  (functionName: 'due' | 'roll-up'): Cause['begin'] =>
  async ({ stack }) => {
    stack.limitConcurrency(functionName, 0);
    return () => stack.limitConcurrency(functionName, 1000);
  };

/** Causes for every alarm. Their order matters: no cause disturbs the causes after it. */
export const causes: readonly Cause[] = [
  {
    description: 'one message cannot read the keyring, and another message kills the function at every attempt',
    alarms: ['keyring-unreadable', 'handed-back', 'deliver-errors'],
    async begin(scene) {
      await addWebhook(scene, () => 200);
      const keyringFault = scene.faults.inject({ functionName: 'deliver', operation: 'GetSecretValue' }, denied);
      await publish(scene);
      // Waits, because both messages would otherwise be in one batch.
      await sleep(2 * scene.minuteMs);
      const { body } = await publish(scene);
      const [{ id }] = body.data as [{ id: string }];
      const hasEvent = ({ input }: AwsCall) => JSON.stringify(input).includes(id);
      const crash = scene.faults.inject(
        { functionName: 'deliver', operation: 'BatchGetItem', when: hasEvent },
        'kill before',
      );
      return () => {
        keyringFault.end();
        crash.end();
        scene.stack.purge('all');
      };
    },
  },
  {
    description: 'a message is received 20 times and is never finished',
    alarms: ['dead-letters'],
    async begin(scene) {
      const { sqs, url: QueueUrl } = sqsOf(scene);
      await switchMapping(scene, 'slow', false);
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'drill' }));
      const receive = new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 });
      await times(21, 1, () => sqs.send(receive));
      return async () => {
        scene.stack.purge('all');
        await switchMapping(scene, 'slow', true);
      };
    },
  },
  {
    description: 'deliveries are paused, and the mapping of the stream is disabled',
    alarms: ['deliveries-waiting', 'slow-waiting', 'stream-unread'],
    async begin(scene) {
      const { sqs, url: QueueUrl } = sqsOf(scene);
      await addWebhook(scene, () => 200);
      for (const lane of ['deliveries', 'slow'] as const) await switchMapping(scene, lane, false);
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'drill' }));
      await publish(scene);
      while (scene.stack.depth('deliveries').visible === 0) await sleep(20);
      await switchMapping(scene, 'stream', false);
      return async () => {
        for (const name of ['stream', 'deliveries', 'slow'] as const) await switchMapping(scene, name, true);
      };
    },
  },
  {
    description: 'the stream carries a row in a form that no release has written',
    alarms: ['failures'],
    async begin({ stack }) {
      const client = new DynamoDBClient({ ...keys, endpoint: stack.dynamoEndpoint });
      const Item = marshall({ pk: 'A#drill', sk: 'evt_drill', kind: 'event', origin: 'publish', id: 7 });
      await client.send(new PutItemCommand({ TableName: stack.tableName(env.domainTable), Item }));
      return () => stack.purge('failures');
    },
  },
  {
    description: 'the fan-out may not read which webhooks want an event',
    alarms: ['fan-out-errors', 'iterator-age'],
    async begin(scene) {
      const fault = scene.faults.inject({ functionName: 'fan-out', operation: 'BatchGetItem' }, denied);
      // A batch has the age of its last record, so only a full batch can grow old.
      const stop = repeat(scene.minuteMs / 4, () => publish(scene, 16));
      return () => {
        stop();
        fault.end();
      };
    },
  },
  {
    description: 'the due function may not read the due index',
    alarms: ['due-errors'],
    async begin({ faults }) {
      const fault = faults.inject({ functionName: 'due', operation: 'Query' }, denied);
      return () => fault.end();
    },
  },
  {
    description: 'the roll-up function may not call AWS',
    alarms: ['roll-up-errors'],
    async begin({ faults }) {
      const fault = faults.inject({ functionName: 'roll-up' }, denied);
      return () => fault.end();
    },
  },
  {
    description: 'the account has no concurrency left for the due function',
    alarms: ['tick-missed'],
    begin: startsNothing('due'),
  },
  {
    description: 'the account has no concurrency left for the roll-up function',
    alarms: ['roll-up-missed'],
    begin: startsNothing('roll-up'),
  },
  {
    description: 'deliver needs more than a minute to read each batch',
    alarms: ['first-attempts', 'concurrency'],
    async begin(scene) {
      await addWebhook(scene, () => 200);
      const fault = scene.faults.inject({ functionName: 'deliver', operation: 'BatchGetItem' }, async (_, forward) => {
        // At the default speed this is 2.6 s. The client gives a call up after 3 s.
        await sleep(1.3 * scene.minuteMs);
        return forward();
      });
      const stop = repeat(scene.minuteMs / 8, () => publish(scene));
      return () => {
        stop();
        fault.end();
      };
    },
  },
  {
    description: 'the API may not count requests and receives one every two minutes',
    alarms: ['api-errors'],
    async begin(scene) {
      const fault = scene.faults.inject({ functionName: 'events-api', operation: 'UpdateItem' }, denied);
      const stop = repeat(2 * scene.minuteMs, () => publish(scene));
      return () => {
        stop();
        fault.end();
      };
    },
  },
  {
    description: 'clients without a valid key call the API twice a second',
    alarms: ['unauthorized-calls'],
    begin: async (scene) =>
      repeat(scene.minuteMs / 10, () => times(12, 4, () => publish({ ...scene, key: 'pp_live_unknown' }))),
  },
  {
    description: 'the table throttles the counting of requests',
    alarms: ['busy-tables'],
    async begin(scene) {
      const fault = scene.faults.inject({ functionName: 'events-api', operation: 'UpdateItem' }, throttled);
      const stop = repeat(scene.minuteMs / 25, () => publish(scene));
      return () => {
        stop();
        fault.end();
      };
    },
  },
  {
    description: 'the account has no concurrency left for deliver, and a retry becomes due',
    alarms: ['throttles', 'oldest-owed'],
    async begin(scene) {
      const { posts } = await addWebhook(scene, ({ number }) => (number === 1 ? 503 : 200), { schedule: [120] });
      await publish(scene);
      // Waits for the first attempt, which is not in the due index: only the retry can set oldest-owed off.
      while (posts.length === 0) await sleep(20);
      await sleep(scene.minuteMs / 2);
      scene.stack.limitConcurrency('deliver', 0);
      const stop = repeat(scene.minuteMs / 4, () => publish(scene));
      return () => {
        stop();
        scene.stack.limitConcurrency('deliver', 1000);
      };
    },
  },
  {
    description: '96,500 messages are received and never finished',
    alarms: ['in-flight'],
    async begin(scene) {
      const { sqs, url: QueueUrl } = sqsOf(scene);
      // Disables the mapping, because deliver would otherwise take the messages first.
      await switchMapping(scene, 'slow', false);
      const Entries = Array.from({ length: 10 }, (_, n) => ({ Id: String(n), MessageBody: 'drill' }));
      const hold = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 });
      await times(9_650, 8, async () => {
        await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
        await sqs.send(hold);
      });
      return async () => {
        scene.stack.purge('all');
        await switchMapping(scene, 'slow', true);
      };
    },
  },
  {
    description: 'every delivery to a webhook is dead after its first attempt',
    alarms: ['dead-rate'],
    async begin(scene) {
      // CloudWatch learns the usual share first: from three quiet periods of five minutes before the three evaluated periods.
      await sleep(Math.max(0, scene.startMs + 31 * scene.minuteMs - Date.now()));
      await addWebhook(scene, () => 500, { schedule: [] });
      return repeat(scene.minuteMs, () => publish(scene, 10));
    },
  },
];
