import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LoopbackServer, serveOnLoopback } from '../../../deploy/loopback-server.ts';
import { dynamoClient, secretsClient, sqsClient, takeAwsUse } from '../../../lambdas/adapters/aws/aws-clients.ts';
import { useTables } from '../../helpers/tables.ts';

describe('takeAwsUse', () => {
  const tables = useTables();
  let denying: LoopbackServer;
  beforeEach(async () => {
    denying = await serveOnLoopback((_, response) =>
      response.writeHead(400, { 'x-amzn-errortype': 'AccessDeniedException' }).end('{}'),
    );
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', tables.endpoint);
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', denying.url);
    vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', denying.url);
    takeAwsUse();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await denying.stop();
  });

  it('counts a write whose condition is not met as a call and as a failed call, and counts from zero the next time', async () => {
    const client = dynamoClient();
    const Item = { pk: { S: 'counted' }, sk: { S: '1' } };
    const putOnce = () =>
      client.send(new PutItemCommand({ TableName: 'delivery', Item, ConditionExpression: 'attribute_not_exists(pk)' }));

    await putOnce();
    const first = takeAwsUse();
    await expect(putOnce()).rejects.toThrow();
    const second = takeAwsUse();

    expect(first).toEqual({ calls: { 'dynamodb.PutItem': 1 }, units: { 'dynamodb.PutItem': 1 } });
    expect(second).toEqual({
      calls: { 'dynamodb.PutItem': 1 },
      units: {},
      failed: { 'dynamodb.PutItem.ConditionalCheckFailedException': 1 },
    });
    expect(takeAwsUse()).toEqual({ calls: {}, units: {} });
  });

  it('counts each denied call of SQS and Secrets Manager as a call and as a failed call with the name of the error', async () => {
    const sending = sqsClient().send(new SendMessageCommand({ QueueUrl: `${denying.url}/1/q`, MessageBody: 'm' }));
    const reading = secretsClient().send(new GetSecretValueCommand({ SecretId: 's' }));

    await Promise.allSettled([sending, reading]);

    expect(takeAwsUse()).toEqual({
      calls: { 'sqs.SendMessage': 1, 'secretsmanager.GetSecretValue': 1 },
      units: {},
      failed: {
        'sqs.SendMessage.AccessDeniedException': 1,
        'secretsmanager.GetSecretValue.AccessDeniedException': 1,
      },
    });
  });
});
