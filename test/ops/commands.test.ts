import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { env } from '../../lambdas/runtime/env.ts';
import { callApi } from '../../local/cli/api-client.ts';
import { readStackFile, type StackFile } from '../../local/state/stack-file.ts';
import { run } from '../../ops/run.ts';
import { startFakeCloudFormation } from '../helpers/fake-cloudformation.ts';
import { type Client, useWholeStack, type Webhook } from '../helpers/whole-stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'passpost-ops-'));
const dataDir = join(folder, '.local');
const script = fileURLToPath(new URL('../../bin/ops.ts', import.meta.url));

const until = async (condition: () => boolean, withinMs = 15_000): Promise<void> => {
  for (const endMs = Date.now() + withinMs; !condition(); await new Promise((next) => setTimeout(next, 20))) {
    if (Date.now() > endMs) throw new Error(`The condition is not met within ${withinMs} ms: ${condition}`);
  }
};

describe('the operator’s commands on a running stack', () => {
  // A failed message returns almost immediately here. With the stack's own timeout its 20 tries take 90 minutes.
  const whole = useWholeStack({ isDirect: true, dataDir, visibilityTimeoutSeconds: 0.1 });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Every output of the commands, to search for secrets. */
  const outputs: string[] = [];
  const runJson = async (...args: string[]) => {
    const json = await run([...args, '--local', '--json'], dataDir);
    outputs.push(json);
    return JSON.parse(json);
  };
  const runText = async (...args: string[]): Promise<string> => {
    const text = await run([...args, '--local'], dataDir);
    outputs.push(text);
    return text;
  };
  /** Runs the program bin/ops.ts in the folder where the stack was started, as an operator does. */
  const runProgram = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...args, '--local'], { cwd: folder });
    outputs.push(stdout);
    return stdout;
  };

  /** Replaces the webhook's secret with one that no keyring can open. The returned function restores it. */
  const breakSecret = async ({ accountId }: Client, { id }: Webhook): Promise<() => Promise<unknown>> => {
    const client = new DynamoDBClient({
      endpoint: whole.stack.dynamoEndpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const row = {
      TableName: whole.stack.tableName('DOMAIN_TABLE'),
      Key: marshall(webhookKey(`${accountId}#live`, id)),
    };
    const { Item } = await client.send(new GetItemCommand({ ...row, ConsistentRead: true }));
    const set = (value: Record<string, unknown>) =>
      client.send(
        new UpdateItemCommand({
          ...row,
          UpdateExpression: 'SET secrets = :secrets',
          ExpressionAttributeValues: { ':secrets': value } as never,
        }),
      );
    const header = Buffer.from('{"alg":"ECDH-ES+A256KW","kid":"gone"}').toString('base64url');
    await set(marshall([{ sealed: `${header}....`, expires_at: null }], { convertTopLevelContainer: true }) as never);
    return () => set(Item?.secrets as never);
  };

  it('dead-letters shows the reason of a dead letter; redrive --delivery delivers only that delivery, and redrive --all the remaining delivery', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 200);
    const other = await client.addWebhook(() => 200);
    const restore = [await breakSecret(client, webhook), await breakSecret(client, other)];
    const [eventId] = await client.publish(1);
    await until(() => whole.stack.depth('dead-letters').visible === 2);

    const { dead_letters, failures } = await runJson('dead-letters');
    const text = await runProgram('dead-letters');
    const letter = dead_letters.find(({ webhook_id }: { webhook_id: string }) => webhook_id === webhook.id);
    await Promise.all(restore.map((undo) => undo()));
    const redriven = await runJson('redrive', '--delivery', letter.delivery_id);

    expect(failures).toEqual([]);
    expect(letter).toMatchObject({
      event_id: eventId,
      event_type: 'task.accepted',
      status: 'pending',
      last_attempt: null,
    });
    expect(letter.receive_count).toBeGreaterThan(20);
    expect(letter.reason).toContain('attempt 1 is due and was never recorded: PassPost failed');
    for (const part of ['Dead letters: 2', letter.delivery_id, webhook.id, 'PassPost failed']) {
      expect(text).toContain(part);
    }
    expect(redriven).toEqual({ redriven: 1, left: 1 });
    expect(await client.listedSettled(webhook, 1)).toMatchObject([{ status: 'delivered', attempts_made: 1 }]);
    expect(other.posts).toEqual([]);

    expect(await runText('redrive', '--all')).toBe('Messages redriven: 1. Messages left in the dead-letter queue: 0.');
    await client.listedSettled(other, 1);
  });

  it('after pause, 30 published events cause no POST and status shows 30 waiting; after resume, all 30 are delivered', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 200);
    const paused = await runJson('pause');
    await client.publish(30);
    await whole.stack.settled();
    const text = await runProgram('pause');
    const postsBefore = webhook.posts.length;

    const during = await runJson('status');
    const resumed = await runJson('resume');

    expect(paused).toMatchObject({ deliveries: 'paused', in_flight: 0 });
    expect(text).toContain('the alarms deliveries-waiting and slow-waiting go off');
    expect(postsBefore).toBe(0);
    expect(during).toMatchObject({
      lanes: { deliveries: 'paused', slow: 'paused' },
      queues: { deliveries: { waiting: 30 } },
    });
    expect(resumed).toMatchObject({ deliveries: 'running', waiting: 30 });
    const delivered = await client.listedSettled(webhook, 30);
    expect(delivered.map(({ status }) => status)).toEqual(Array(30).fill('delivered'));
    expect(await runJson('status')).toMatchObject({
      lanes: { deliveries: 'running', slow: 'running' },
      dead_letters: 0,
    });
  });

  it('owed counts a delivery that waits for a retry, failing lists its webhook, and no output shows the URL’s query or a header value', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 500, {
      schedule: [7200],
      headers: { 'x-api-key': 'header-value-of-nobody' },
    });
    const query = 'token=query-of-nobody';
    await client.call('PATCH', `/webhooks/${webhook.id}`, { url: `${webhook.url}?${query}` });
    await client.publish(1);
    await until(() => whole.logs.some((line) => line.includes(webhook.id) || line.includes('refused')));
    await whole.stack.settled();

    const owed = await runJson('owed');
    const { webhooks } = await runJson('failing');
    const texts = [await runText('owed'), await runText('failing'), await runProgram('status')];

    expect(owed).toMatchObject({ owed: 1, parked: 1, overdue: 0, oldest: { webhook_id: webhook.id } });
    expect(webhooks).toEqual([
      {
        webhook_id: webhook.id,
        failing_since: expect.any(String),
        account_id: client.accountId,
        mode: 'live',
        url: webhook.url,
        enabled: true,
      },
    ]);
    expect(texts[0]).toContain('Waiting for another attempt: 1 (1 parked, 0 overdue)');
    expect(texts[1]).toContain(`${client.accountId}  ${webhook.url}`);
    expect(texts[2]).toContain('Dead letters: 0; failures: 0; failing webhooks: 1');
    for (const secret of ['query-of-nobody', 'header-value-of-nobody']) expect(outputs.join()).not.toContain(secret);
  });

  it('rotate-keyring adds and publishes a sealing pair, each time another one', async () => {
    const text = await runProgram('rotate-keyring');
    const second = await runJson('rotate-keyring');

    expect(text).toMatch(/The sealing pair \S{16} was added and published\./);
    expect(second).toEqual({ sealing_kid: expect.stringMatching(/^\S{16}$/) });
    expect(text).not.toContain(second.sealing_kid);
  });

  it('status --stage test finds the stack through CloudFormation; status of a stack that does not exist exits with code 1 and says so', async () => {
    const file = readStackFile(dataDir) as StackFile;
    const aws = await startFakeCloudFormation('passpost-test', file.resources);
    const environment = {
      ...process.env,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_CLOUDFORMATION: aws.url,
      AWS_ENDPOINT_URL_DYNAMODB: file.endpoints.dynamodb,
      AWS_ENDPOINT_URL_SQS: file.endpoints.sqs,
      AWS_ENDPOINT_URL_LAMBDA: file.endpoints.lambda,
    };
    const status = (...args: string[]) =>
      promisify(execFile)(process.execPath, [script, 'status', ...args], { env: environment }).catch((error) => error);

    const [found, missing] = await Promise.all([status('--stage', 'test', '--json'), status()]);
    await aws.stop();

    expect(JSON.parse(found.stdout)).toMatchObject({ deployment: 'passpost-test', lanes: { deliveries: 'running' } });
    expect([missing.code, missing.stderr]).toEqual([
      1,
      'The stack passpost-production does not exist in this account and region: check --stage and AWS_REGION.\n',
    ]);
  });

  it('rotate-operator-key writes a new key into the secret, which GET /accounts accepts like the former key, and shows neither key', async () => {
    const { environment } = whole.stack.definitionOf('key-material');
    const secrets = new SecretsManagerClient({
      endpoint: environment.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? '',
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });

    const text = await runProgram('rotate-operator-key', '--overlap-seconds', '3600');

    const SecretId = environment[env.operatorSecret];
    const { SecretString: key = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
    const statuses = await Promise.all(
      [key, whole.stack.operatorKey].map(
        async (each) => (await callApi(whole.stack.url, each, 'GET', '/accounts')).status,
      ),
    );
    expect(key).not.toBe(whole.stack.operatorKey);
    expect(statuses).toEqual([200, 200]);
    expect(text).toContain(`It begins with ${key.slice(0, 12)}.`);
    for (const each of [key, whole.stack.operatorKey]) expect(outputs.join()).not.toContain(each);
  });
});
