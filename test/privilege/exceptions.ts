import type { Exception } from './judge.ts';

/** What roles must allow although no call of a function's code uses it. */
export const exceptions: readonly Exception[] = [
  {
    functionName: '*',
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resource: '*-log',
    reason: "Lambda itself writes what a function prints, to the function's own log group, by the function's role.",
  },
  {
    functionName: '*',
    actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    resource: '*',
    reason: "Lambda's own daemon sends the traces, by the function's role; X-Ray knows no resources to narrow it to.",
  },
  {
    functionName: 'deliver',
    actions: ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
    resource: 'deliveries',
    reason: "Lambda's mapping takes the messages, by the function's role; here the local stack does.",
  },
  {
    functionName: 'deliver',
    actions: ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
    resource: 'slow',
    reason: "As for the deliveries queue: Lambda's mapping takes the messages.",
  },
  {
    functionName: 'fan-out',
    actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
    resource: 'domain-table/stream',
    reason: "Lambda's mapping reads the stream, by the function's role; here the local stack does.",
  },
  {
    functionName: 'deliver',
    actions: [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ],
    resource: '*',
    reason: 'Lambda itself puts the function into its network, by its role; to its code all of it is denied.',
  },
  {
    functionName: '*',
    actions: [
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ],
    resource: 'arn:aws:kms:*',
    through: 'dynamodb',
    reason: 'AWS documents them as the least that DynamoDB needs of a key, and not which call needs which.',
  },
];
