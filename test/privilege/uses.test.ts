import { expect, it } from 'vitest';
import { keyShape, usesOf } from './uses.ts';

const id = '01KA8Z3M9Q4T7V2X5B8D1F6H0J';
const row = (pk: string) => ({ pk: { S: pk }, sk: { S: 'x' } });
const textsOf = (service: string, operation: string, input: Record<string, unknown>) =>
  usesOf({ functionName: 'f', service, operation, input, kill: async () => undefined }, (name) => `<${name}>`).map(
    ({ action, resource, leadingKeys }) => [action, resource, ...leadingKeys].join(' '),
  );

it.each<[string, string, Record<string, unknown>, readonly string[]]>([
  ['dynamodb', 'GetItem', { TableName: 't', Key: row(`T#tsk_${id}`) }, ['dynamodb:GetItem <t> T#tsk_…']],
  ['dynamodb', 'PutItem', { TableName: 't', Item: row('ACCOUNTS') }, ['dynamodb:PutItem <t> ACCOUNTS']],
  [
    'dynamodb',
    'Query',
    {
      TableName: 't',
      IndexName: 'due',
      KeyConditionExpression: 'due_pk = :pk AND due_at < :to',
      ExpressionAttributeValues: { ':pk': { S: 'D#3' } },
    },
    ['dynamodb:Query <t>/index/due D#3'],
  ],
  [
    'dynamodb',
    'BatchGetItem',
    { RequestItems: { t: { Keys: [row('A#b'), row('A#a')] }, u: { Keys: [row('W#c')] } } },
    ['dynamodb:BatchGetItem <t> A#a A#b', 'dynamodb:BatchGetItem <u> W#c'],
  ],
  [
    'dynamodb',
    'BatchWriteItem',
    { RequestItems: { t: [{ DeleteRequest: { Key: row('A#a') } }, { PutRequest: { Item: row('A#b') } }] } },
    ['dynamodb:BatchWriteItem <t> A#a A#b'],
  ],
  [
    'dynamodb',
    'TransactWriteItems',
    {
      TransactItems: [
        { Put: { TableName: 't', Item: row('A#a') } },
        { Update: { TableName: 't', Key: row('R#a') } },
        { Delete: { TableName: 'u', Key: row('K#a') } },
        { ConditionCheck: { TableName: 'u', Key: row('ACCOUNTS') } },
      ],
    },
    [
      'dynamodb:PutItem <t> A#a',
      'dynamodb:UpdateItem <t> R#a',
      'dynamodb:DeleteItem <u> K#a',
      'dynamodb:ConditionCheckItem <u> ACCOUNTS',
    ],
  ],
  [
    'dynamodb',
    'BatchExecuteStatement',
    {
      Statements: [
        { Statement: 'INSERT INTO "t" VALUE {}' },
        { Statement: 'UPDATE "u" SET "a"=?' },
        { Statement: 'SELECT * FROM "t" WHERE "pk"=?' },
      ],
    },
    ['dynamodb:PartiQLInsert <t>', 'dynamodb:PartiQLUpdate <u>', 'dynamodb:PartiQLSelect <t>'],
  ],
  ['sqs', 'SendMessageBatch', { QueueUrl: 'http://127.0.0.1:1/000000000000/q' }, ['sqs:SendMessage <q>']],
  [
    'secretsmanager',
    'GetSecretValue',
    { SecretId: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:keyring-local0' },
    ['secretsmanager:GetSecretValue <keyring>'],
  ],
  // A call without a case in usesOf: no role allows it, so the verdict reports it.
  ['dynamodb', 'Scan', { TableName: 't' }, ['dynamodb:Scan unknown']],
])('usesOf lists the permissions that IAM checks for %s %s', (service, operation, input, expected) => {
  expect(textsOf(service, operation, input)).toEqual(expected);
});

it.each([
  [`A#acc_${id}#live`, 'A#acc_…#live'],
  [`A#acc_${id}#audit#2026-11`, 'A#acc_…#audit#2026-11'],
  [`I#acc_${id}`, 'I#acc_…'],
  [`dlv_${id}${id}`, 'dlv_…'],
  [`K#${'0f'.repeat(32)}`, 'K#…'],
  ['KEYRING', 'KEYRING'],
])('keyShape of %s is %s', (key, expected) => {
  expect(keyShape(key)).toBe(expected);
});
