import { expect, it } from 'vitest';
import { keyShape, usesOf } from './uses.ts';

const id = '01KA8Z3M9Q4T7V2X5B8D1F6H0J';
const row = (pk: string) => ({ pk: { S: pk }, sk: { S: 'x' } });
const textsOf = (service: string, operation: string, input: Record<string, unknown>) =>
  usesOf({ functionName: 'f', service, operation, input, kill: async () => undefined }, (name) => `<${name}>`).map(
    ({ action, resource, leadingKeys }) => [action, resource, ...leadingKeys].join(' '),
  );

it.each<[string, string, string, Record<string, unknown>, readonly string[]]>([
  [
    'dynamodb',
    'GetItem',
    'the leading key of the row, without its id',
    { TableName: 't', Key: row(`T#tsk_${id}`) },
    ['dynamodb:GetItem <t> T#tsk_…'],
  ],
  [
    'dynamodb',
    'PutItem',
    'the leading key of the row',
    { TableName: 't', Item: row('ACCOUNTS') },
    ['dynamodb:PutItem <t> ACCOUNTS'],
  ],
  [
    'dynamodb',
    'Query',
    'the index as resource and the leading key of the condition',
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
    'one permission for each table, with all leading keys in order',
    { RequestItems: { t: { Keys: [row('A#b'), row('A#a')] }, u: { Keys: [row('W#c')] } } },
    ['dynamodb:BatchGetItem <t> A#a A#b', 'dynamodb:BatchGetItem <u> W#c'],
  ],
  [
    'dynamodb',
    'BatchWriteItem',
    'one permission with the leading keys of puts and deletes',
    { RequestItems: { t: [{ DeleteRequest: { Key: row('A#a') } }, { PutRequest: { Item: row('A#b') } }] } },
    ['dynamodb:BatchWriteItem <t> A#a A#b'],
  ],
  [
    'dynamodb',
    'TransactWriteItems',
    'one permission for each part, by the action of that part',
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
    'one PartiQL permission for each statement, with the leading key that a parameter holds',
    {
      Statements: [
        { Statement: "INSERT INTO \"t\" VALUE {'a': ?, 'pk': ?}", Parameters: [{ S: 'x' }, { S: 'E#a' }] },
        {
          Statement: 'UPDATE "u" SET "a"=? SET "b"=? REMOVE "c" WHERE "pk"=? AND "sk"=?',
          Parameters: [{ S: 'x' }, { S: 'y' }, { S: 'W#b' }, { S: 'z' }],
        },
        { Statement: 'SELECT * FROM "t" WHERE "pk"=?', Parameters: [{ S: 'A#c' }] },
      ],
    },
    ['dynamodb:PartiQLInsert <t> E#a', 'dynamodb:PartiQLUpdate <u> W#b', 'dynamodb:PartiQLSelect <t> A#c'],
  ],
  [
    'dynamodb',
    'BatchExecuteStatement',
    'an empty leading key, which no role allows, for a statement without a parameter for pk',
    { Statements: [{ Statement: 'UPDATE "u" SET "a"=? WHERE "ok"=?', Parameters: [{ S: 'x' }, { S: 'y' }] }] },
    ['dynamodb:PartiQLUpdate <u> '],
  ],
  [
    'sqs',
    'SendMessageBatch',
    'sqs:SendMessage on the queue',
    { QueueUrl: 'http://127.0.0.1:1/000000000000/q' },
    ['sqs:SendMessage <q>'],
  ],
  [
    'secretsmanager',
    'GetSecretValue',
    'the name of the secret instead of its ARN',
    { SecretId: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:keyring-local0' },
    ['secretsmanager:GetSecretValue <keyring>'],
  ],
  // usesOf has no case for this call, and no role allows the resource `unknown`, so the verdict reports the call.
  ['dynamodb', 'Scan', 'the resource unknown', { TableName: 't' }, ['dynamodb:Scan unknown']],
])('usesOf of the call %s %s gives %s', (service, operation, _, input, expected) => {
  expect(textsOf(service, operation, input)).toEqual(expected);
});

it.each([
  [`A#acc_${id}#live`, 'A#acc_…#live'],
  [`U#acc_${id}#2026-11`, 'U#acc_…#2026-11'],
  [`I#acc_${id}`, 'I#acc_…'],
  [`dlv_${id}${id}`, 'dlv_…'],
  [`K#${'0f'.repeat(32)}`, 'K#…'],
  ['KEYRING', 'KEYRING'],
])('keyShape, which replaces ids and hashes, turns the key %s into %s', (key, expected) => {
  expect(keyShape(key)).toBe(expected);
});
