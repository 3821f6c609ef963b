import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { env } from '../../lambdas/runtime/env.ts';
import { callApi, refusalOf } from '../../local/cli/api-client.ts';
import type { LocalStack } from '../../local/stack.ts';
import { readStackFile } from '../../local/state/stack-file.ts';
import { type AwsAnswer, type AwsCall, throttled } from '../../local/wiring/interceptor.ts';
import type { Faults, FaultTarget } from '../helpers/faults.ts';
import type { Endpoint, Responder, WebhookReceiver } from '../helpers/webhook-receiver.ts';

export interface Scene {
  readonly stack: LocalStack;
  readonly faults: Faults;
  readonly receiver: WebhookReceiver;
  /** An account's key. */
  readonly key: string;
  /** How long a minute lasts here. */
  readonly minuteMs: number;
  /** Since when everything is measured. */
  readonly startMs: number;
}

/** What makes alarms go off, and what ends it. */
export interface Cause {
  readonly what: string;
  readonly alarms: readonly string[];
  /** Brings it about, and answers how to end it. */
  begin(scene: Scene): Promise<() => unknown>;
}

/** An answer that the client library does not try again after. */
const denied: AwsAnswer = { status: 400, body: { __type: 'AccessDeniedException', message: 'ordered by the drill' } };
const keys = { region: 'us-east-1', credentials: { accessKeyId: 'drill', secretAccessKey: 'drill' } };

const addWebhook = async ({ stack, key, receiver }: Scene, answer: Responder, more: object = {}): Promise<Endpoint> => {
  const endpoint = receiver.open(answer);
  const body = { url: endpoint.url, events: ['task.accepted'], allow_http: true, ...more };
  const made = await callApi(stack.url, key, 'POST', '/webhooks', body);
  if (made.status !== 201) throw new Error(`no webhook: ${refusalOf(made)}`);
  return endpoint;
};

const publish = ({ stack, key }: Scene, count = 1) =>
  callApi(stack.url, key, 'POST', '/events', {
    events: Array.from({ length: count }, (_, n) => ({ type: 'task.accepted', data: { n } })),
  });

/** Does it over and over, until it is told to stop. */
const keepDoing = (everyMs: number, act: () => Promise<unknown>): (() => void) => {
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
  if (!answer.ok) throw new Error(`the mapping of ${name} cannot be switched: ${await answer.text()}`);
};

const eachOf = async (count: number, atOnce: number, act: () => Promise<unknown>): Promise<void> => {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await act();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
};

/** What it calls first does not answer: it hangs, and no other starts. */
const hang =
  (place: FaultTarget): Cause['begin'] =>
  async ({ faults }) => {
    const held = Promise.withResolvers<void>();
    const fault = faults.inject(place, async (_, forward) => {
      await held.promise;
      return forward();
    });
    return () => {
      fault.end();
      held.resolve();
    };
  };

/** One for each way to lose or delay, in an order in which none stands in another's way. */
export const causes: readonly Cause[] = [
  {
    what: 'the keyring cannot be read for one message, and another ends the function, whenever they come back',
    alarms: ['keyring-unreadable', 'handed-back', 'deliver-errors'],
    async begin(scene) {
      await addWebhook(scene, () => 200);
      const keyring = scene.faults.inject({ functionName: 'deliver', operation: 'GetSecretValue' }, denied);
      await publish(scene);
      // Apart, or both would be in one batch.
      await sleep(2 * scene.minuteMs);
      const { body } = await publish(scene);
      const [{ id }] = body.data as [{ id: string }];
      const isAbout = ({ input }: AwsCall) => JSON.stringify(input).includes(id);
      const end = scene.faults.inject(
        { functionName: 'deliver', operation: 'BatchGetItem', when: isAbout },
        'kill before',
      );
      return () => {
        keyring.end();
        end.end();
        scene.stack.purge('all');
      };
    },
  },
  {
    what: 'a message is received twenty times and never finished',
    alarms: ['dead-letters'],
    async begin(scene) {
      const { sqs, url: QueueUrl } = sqsOf(scene);
      await switchMapping(scene, 'slow', false);
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'drill' }));
      const receive = new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 });
      await eachOf(21, 1, () => sqs.send(receive));
      return async () => {
        scene.stack.purge('all');
        await switchMapping(scene, 'slow', true);
      };
    },
  },
  {
    what: 'deliveries are paused, and the stream is switched off',
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
    what: 'a row that no release wrote is in the stream',
    alarms: ['failures'],
    async begin({ stack }) {
      const client = new DynamoDBClient({ ...keys, endpoint: stack.dynamoEndpoint });
      const Item = marshall({ pk: 'A#drill', sk: 'evt_drill', kind: 'event', origin: 'publish', id: 7 });
      await client.send(new PutItemCommand({ TableName: stack.tableName(env.domainTable), Item }));
      return () => stack.purge('failures');
    },
  },
  {
    what: 'the fan-out may not read who wants an event',
    alarms: ['fan-out-errors', 'iterator-age'],
    async begin(scene) {
      const fault = scene.faults.inject({ functionName: 'fan-out', operation: 'BatchGetItem' }, denied);
      // A batch is as old as its last record, so it must be full before it can grow old.
      const stop = keepDoing(scene.minuteMs / 4, () => publish(scene, 16));
      return () => {
        stop();
        fault.end();
      };
    },
  },
  {
    what: 'the tick may not read the due index',
    alarms: ['due-errors'],
    async begin({ faults }) {
      const fault = faults.inject({ functionName: 'due', operation: 'Query' }, denied);
      return () => fault.end();
    },
  },
  {
    what: 'the roll-up may not read the hours',
    alarms: ['roll-up-errors'],
    async begin({ faults }) {
      const fault = faults.inject({ functionName: 'roll-up' }, denied);
      return () => fault.end();
    },
  },
  {
    what: 'the tick hangs, and no other starts',
    alarms: ['tick-missed'],
    begin: hang({ functionName: 'due', operation: 'Query' }),
  },
  {
    what: 'the roll-up hangs, and no other starts',
    alarms: ['roll-up-missed'],
    begin: hang({ functionName: 'roll-up' }),
  },
  {
    what: 'each batch takes two minutes to be read',
    alarms: ['first-attempts', 'concurrency'],
    async begin(scene) {
      await addWebhook(scene, () => 200);
      const fault = scene.faults.inject({ functionName: 'deliver', operation: 'BatchGetItem' }, async (_, forward) => {
        await sleep(2 * scene.minuteMs);
        return forward();
      });
      const stop = keepDoing(scene.minuteMs / 8, () => publish(scene));
      return () => {
        stop();
        fault.end();
      };
    },
  },
  {
    what: 'the API may not count a request, and gets one every other minute',
    alarms: ['api-errors'],
    async begin(scene) {
      const fault = scene.faults.inject({ functionName: 'events-api', operation: 'UpdateItem' }, denied);
      const stop = keepDoing(2 * scene.minuteMs, () => publish(scene));
      return () => {
        stop();
        fault.end();
      };
    },
  },
  {
    what: 'the table has no capacity for counting requests',
    alarms: ['busy-tables'],
    async begin(scene) {
      const fault = scene.faults.inject({ functionName: 'events-api', operation: 'UpdateItem' }, throttled);
      const stop = keepDoing(scene.minuteMs / 25, () => publish(scene));
      return () => {
        stop();
        fault.end();
      };
    },
  },
  {
    what: 'the account has no concurrency left for deliver, and a retry comes due',
    alarms: ['throttles', 'oldest-owed'],
    async begin(scene) {
      const { posts } = await addWebhook(scene, ({ number }) => (number === 1 ? 503 : 200), { schedule: [120] });
      await publish(scene);
      // A first attempt stands in the queue alone: it must be over.
      while (posts.length === 0) await sleep(20);
      await sleep(scene.minuteMs / 2);
      scene.stack.limitConcurrency('deliver', 0);
      const stop = keepDoing(scene.minuteMs / 4, () => publish(scene));
      return () => {
        stop();
        scene.stack.limitConcurrency('deliver', 1000);
      };
    },
  },
  {
    what: '96,500 messages are handed out and not finished',
    alarms: ['in-flight'],
    async begin(scene) {
      const { sqs, url: QueueUrl } = sqsOf(scene);
      // The function would be quicker than whoever never finishes.
      await switchMapping(scene, 'slow', false);
      const Entries = Array.from({ length: 10 }, (_, n) => ({ Id: String(n), MessageBody: 'drill' }));
      const hold = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 });
      await eachOf(9_650, 8, async () => {
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
    what: 'every delivery to a webhook is given up at once',
    alarms: ['dead-rate'],
    async begin(scene) {
      // What is usual must be known first: three quiet periods of five minutes before the three that are looked at.
      await sleep(Math.max(0, scene.startMs + 31 * scene.minuteMs - Date.now()));
      await addWebhook(scene, () => 500, { schedule: [] });
      return keepDoing(scene.minuteMs, () => publish(scene, 10));
    },
  },
];
