import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
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
