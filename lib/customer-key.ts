import { CfnTable } from 'aws-cdk-lib/aws-dynamodb';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { StageConfig } from './stage-config.ts';

/** The customer's own key, where there is one. Its policy is the customer's: docs/deploying.md says what must stand in it. */
export const customerKey = (scope: Construct, { kmsKeyArn }: StageConfig): IKey | undefined => {
  if (kmsKeyArn === null) return undefined;
  const stack = Stack.of(scope);
  return (stack.node.tryFindChild('customer-key') as IKey) ?? Key.fromKeyArn(stack, 'customer-key', kmsKeyArn);
};

/** Messages at rest under the customer's key, or SQS's own. */
export const queueEncryption = (scope: Construct, stage: StageConfig): QueueProps => {
  const encryptionMasterKey = customerKey(scope, stage);
  return encryptionMasterKey
    ? { encryption: QueueEncryption.KMS, encryptionMasterKey }
    : { encryption: QueueEncryption.SQS_MANAGED };
};

/** The keys that functions may use: what was encrypted with the former is read with it, and the next one will be asked for. */
export const usableKeys = ({ kmsKeyArn, formerKmsKeyArn, nextKmsKeyArn }: StageConfig): readonly string[] => [
  ...new Set([kmsKeyArn, formerKmsKeyArn, nextKmsKeyArn].filter((arn) => arn !== null)),
];

/**
 * Names AWS's own keys where the customer's is being taken off. A table whose template merely stops naming a key fails to be
 * updated (https://github.com/aws/aws-cdk/issues/8286); that a secret would lose it, CloudFormation documents nowhere. At any
 * other time nothing is said: DynamoDB refuses to be told what is so already.
 */
export const nameAwsKeys = (stack: Stack, { kmsKeyArn, formerKmsKeyArn }: StageConfig): void => {
  if (formerKmsKeyArn === null || kmsKeyArn !== null) return;
  for (const resource of stack.node.findAll()) {
    if (resource instanceof CfnSecret) resource.kmsKeyId = 'alias/aws/secretsmanager';
    if (resource instanceof CfnTable) resource.sseSpecification = { sseEnabled: false };
  }
};
