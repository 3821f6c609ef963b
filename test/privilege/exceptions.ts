import type { Exception } from './judge.ts';

/** Permissions that roles must grant although no function's code makes such a call. */
export const exceptions: readonly Exception[] = [
  {
    functionName: '*',
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resource: '*-log',
    reason: "Lambda writes a function's output to the function's own log group, with the function's role.",
  },
  {
    functionName: '*',
    actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    resource: '*',
    reason: "Lambda's own daemon sends the traces, with the function's role; X-Ray has no resources to restrict it to.",
  },
  {
    functionName: 'deliver',
    actions: ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
    resource: 'deliveries',
    reason: "Lambda's mapping receives the messages, with the function's role; in tests the local stack does.",
  },
  {
    functionName: 'deliver',
    actions: ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
    resource: 'slow',
    reason: "Lambda's mapping receives the messages, as from the deliveries queue.",
  },
  {
    functionName: 'fan-out',
    actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
    resource: 'domain-table/stream',
    reason: "Lambda's mapping reads the stream, with the function's role; in tests the local stack does.",
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
    reason:
      "Lambda connects the function to its network, with the function's role; the function's code is denied these actions.",
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
    reason: 'AWS documents these actions as the minimum for DynamoDB, but not which call needs which action.',
  },
];
