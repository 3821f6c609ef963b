import { CfnTable } from 'aws-cdk-lib/aws-dynamodb';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { StageConfig } from './stages.ts';

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

/** The keys that functions may use: what was encrypted with another key is read with it. */
export const usableKeys = ({ kmsKeyArn, otherKmsKeyArn }: StageConfig): readonly string[] =>
  [kmsKeyArn, otherKmsKeyArn].filter((arn) => arn !== null);

/**
 * Says AWS's own keys where a customer's is being taken off: that a key leaves a secret or table whose template merely
 * stopped naming one, CloudFormation documents nowhere.
 */
export const nameAwsKeys = (stack: Stack, { kmsKeyArn, otherKmsKeyArn }: StageConfig): void => {
  if (otherKmsKeyArn === null || kmsKeyArn !== null) return;
  for (const resource of stack.node.findAll()) {
    if (resource instanceof CfnSecret) resource.kmsKeyId = 'alias/aws/secretsmanager';
    if (resource instanceof CfnTable) resource.sseSpecification = { sseEnabled: false };
  }
};
