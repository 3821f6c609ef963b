import { RemovalPolicy } from 'aws-cdk-lib/core';
import type { StageConfig } from './stage-config.ts';

/**
 * Returns the removal policy of secrets, log groups and addresses. In production they outlive the stack, but a failed
 * first deployment deletes them again, so that nothing stays that costs money. A table cannot have this policy: its
 * deletion protection would make the rollback of a failed deployment fail.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
 */
export const removalPolicy = ({ retainsData }: StageConfig): RemovalPolicy =>
  retainsData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
