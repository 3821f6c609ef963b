import { CfnTable } from 'aws-cdk-lib/aws-dynamodb';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { StageConfig } from './stage-config.ts';

/**
 * Returns the customer's own KMS key, if the settings name one. The customer writes the key's policy: see
 * docs/deploying.md.
 */
export const customerKey = (scope: Construct, { kmsKeyArn }: StageConfig): IKey | undefined => {
  if (kmsKeyArn === null) return undefined;
  const stack = Stack.of(scope);
  return (stack.node.tryFindChild('customer-key') as IKey) ?? Key.fromKeyArn(stack, 'customer-key', kmsKeyArn);
};

/** Returns the settings that encrypt a queue at rest: with the customer's key, or with a key that SQS manages. */
export const queueEncryption = (scope: Construct, stage: StageConfig): QueueProps => {
  const encryptionMasterKey = customerKey(scope, stage);
  return encryptionMasterKey
    ? { encryption: QueueEncryption.KMS, encryptionMasterKey }
    : { encryption: QueueEncryption.SQS_MANAGED };
};

/**
 * Returns the ARNs of the keys that functions may use: the current key, the former key that still decrypts older data,
 * and the next key that a later deployment will encrypt with.
 */
export const usableKeys = ({ kmsKeyArn, formerKmsKeyArn, nextKmsKeyArn }: StageConfig): readonly string[] => [
  ...new Set([kmsKeyArn, formerKmsKeyArn, nextKmsKeyArn].filter((arn) => arn !== null)),
];

/**
 * Names AWS's own keys in a deployment that removes the customer's key. A table update fails if the template only stops naming
 * the key (https://github.com/aws/aws-cdk/issues/8286), and CloudFormation does not document that a secret would drop its key.
 * Other deployments name no key, because DynamoDB rejects an update to the current state.
 */
export const nameAwsKeys = (stack: Stack, { kmsKeyArn, formerKmsKeyArn }: StageConfig): void => {
  if (formerKmsKeyArn === null || kmsKeyArn !== null) return;
  for (const resource of stack.node.findAll()) {
    if (resource instanceof CfnSecret) resource.kmsKeyId = 'alias/aws/secretsmanager';
    if (resource instanceof CfnTable) resource.sseSpecification = { sseEnabled: false };
  }
};
