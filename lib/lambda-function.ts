import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, type RecursiveLoop, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { type Duration, RemovalPolicy, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { bundle } from './bundles.ts';
import type { StageConfig } from './stages.ts';

export interface LambdaFunctionProps {
  readonly stage: StageConfig;
  readonly timeout: Duration;
  readonly recursiveLoop?: RecursiveLoop;
}

/** The function whose code is `lambdas/<name>.ts`; it may do nothing but log and trace until it is granted more. */
export const lambdaFunction = (scope: Construct, name: string, props: LambdaFunctionProps): LambdaFunction => {
  const { stage } = props;
  const logGroup = new LogGroup(scope, `${name}-log`, {
    retention: stage.logRetentionDays,
    removalPolicy: stage.isKept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
  // A role of our own: the managed policy may write to every log group of the account.
  const role = new Role(scope, `${name}-role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  const fn = new LambdaFunction(scope, name, {
    code: bundle(scope, name),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: 512,
    timeout: props.timeout,
    tracing: Tracing.ACTIVE,
    role,
    logGroup,
    ...(props.recursiveLoop ? { recursiveLoop: props.recursiveLoop } : {}),
  });
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'X-Ray knows no resources: sending traces can only be allowed on *.',
  });
  Validations.of(fn).acknowledge({
    id: 'Serverless-LambdaDLQ',
    reason:
      "Only the minute's tick calls a function asynchronously, and a lost tick changes nothing. What comes from a queue or the stream has its dead letters there; what comes from the API has its caller.",
  });
  return fn;
};

export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Patterns that the partition key of every row touched must match. */
  readonly leadingKeys?: readonly string[];
}

/** Lets a function do something and names it what it does it with. */
export const grant = (
  fn: LambdaFunction,
  permissions: readonly Permission[],
  variables: Readonly<Record<string, string>>,
): void => {
  for (const { actions, resources, leadingKeys } of permissions) {
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: [...actions],
        resources: [...resources],
        ...(leadingKeys ? { conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': leadingKeys } } } : {}),
      }),
    );
  }
  for (const [name, value] of Object.entries(variables)) fn.addEnvironment(name, value);
};
