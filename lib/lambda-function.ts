import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, type RecursiveLoop, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Aws, type Duration, Stack, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { serviceVariable } from '../lambdas/runtime/metric-names.ts';
import { bundle } from './bundles.ts';
import { customerKey, usableKeys } from './customer-key.ts';
import type { EgressNetwork } from './egress-network.ts';
import { engineShares } from './engine-shares.ts';
import { removalPolicy } from './removal-policy.ts';
import type { StageConfig } from './stage-config.ts';

export interface LambdaFunctionProps {
  readonly stage: StageConfig;
  readonly timeout: Duration;
  readonly recursiveLoop?: RecursiveLoop;
  /** The network that the function's connections leave from. Without a network, AWS chooses the addresses. */
  readonly network?: EgressNetwork | undefined;
}

/**
 * Creates a log group with the stage's retention, encrypted with the customer's key if there is one. Without a name,
 * CloudFormation names it.
 */
export const createLogGroup = (scope: Construct, id: string, stage: StageConfig, logGroupName?: string): LogGroup => {
  const encryptionKey = customerKey(scope, stage);
  return new LogGroup(scope, id, {
    ...(logGroupName === undefined ? {} : { logGroupName }),
    retention: stage.logRetentionDays,
    removalPolicy: removalPolicy(stage),
    ...(encryptionKey ? { encryptionKey } : {}),
  });
};

/**
 * Returns the concurrency that Lambda reserves for the function with this name: none unless the function is one of the
 * engine's and the stage has an `engineConcurrency`.
 */
const reservedConcurrency = (name: string, { engineConcurrency }: StageConfig): number | undefined =>
  engineConcurrency ? new Map<string, number>(Object.entries(engineShares(engineConcurrency))).get(name) : undefined;

/** Creates the function of `lambdas/functions/<name>.ts`. It may only log and trace until it is granted more. */
export const lambdaFunction = (scope: Construct, name: string, props: LambdaFunctionProps): LambdaFunction => {
  const { stage } = props;
  const logGroup = createLogGroup(scope, `${name}-log`, stage);
  // Creates a role without AWS's managed policy, which allows writing to every log group of the account.
  const role = new Role(scope, `${name}-role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  props.network?.admit(role);
  const reserved = reservedConcurrency(name, stage);
  const fn = new LambdaFunction(scope, name, {
    code: bundle(scope, name),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: 512,
    timeout: props.timeout,
    tracing: stage.isTraced ? Tracing.ACTIVE : Tracing.DISABLED,
    environment: { [serviceVariable]: Stack.of(scope).stackName },
    role,
    logGroup,
    ...(reserved === undefined ? {} : { reservedConcurrentExecutions: reserved }),
    ...(props.recursiveLoop ? { recursiveLoop: props.recursiveLoop } : {}),
    ...props.network?.placement,
  });
  props.network?.denyCode(fn, role);
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'X-Ray has no resources: sending traces can only be allowed on *.',
  });
  Validations.of(fn).acknowledge({
    id: 'Serverless-LambdaDLQ',
    reason:
      'Only ticks invoke functions asynchronously, and the next tick does the work of a lost one. The queues and the stream have their own queues for failed messages, and a caller of the API sees the error.',
  });
  if (!stage.isTraced) {
    Validations.of(fn).acknowledge({
      id: 'Serverless-LambdaTracing',
      reason: 'The stage is not production, or the operator has turned tracing off.',
    });
  }
  return fn;
};

export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Patterns for partition keys. The partition key of every row that the call touches must match one pattern. */
  readonly leadingKeys?: readonly string[];
  /** The only AWS service through which the function may use this permission. */
  readonly through?: string;
}

/** Adds permissions to the function's role and sets the environment variables that name the permitted resources. */
export const grant = (
  fn: LambdaFunction,
  permissions: readonly Permission[],
  variables: Readonly<Record<string, string>>,
): void => {
  for (const { actions, resources, leadingKeys, through } of permissions) {
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: [...actions],
        resources: [...resources],
        ...(leadingKeys ? { conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': leadingKeys } } } : {}),
        ...(through ? { conditions: { StringEquals: { 'kms:ViaService': through } } } : {}),
      }),
    );
  }
  for (const [name, value] of Object.entries(variables)) fn.addEnvironment(name, value);
};

/**
 * KMS actions that a caller of each service needs for a customer's key; AWS's own keys need none. For DynamoDB the list is
 * AWS's own, except CreateGrant, which the deployment itself uses when it sets the key.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 */
const kmsActions = {
  dynamodb: [
    'Decrypt',
    'DescribeKey',
    'Encrypt',
    'GenerateDataKey',
    'GenerateDataKeyWithoutPlaintext',
    'ReEncryptFrom',
    'ReEncryptTo',
  ],
  sqs: ['Decrypt', 'GenerateDataKey'],
  secretsmanager: ['Decrypt'],
} as const;

/** Lets a function use the customer's keys through this service only. Does nothing if there is no customer's key. */
export const grantCustomerKey = (
  fn: LambdaFunction,
  stage: StageConfig,
  service: keyof typeof kmsActions,
  more: readonly string[] = [],
): void => {
  const resources = usableKeys(stage);
  if (resources.length === 0) return;
  grant(
    fn,
    [
      {
        actions: [...kmsActions[service], ...more].map((name) => `kms:${name}`),
        resources,
        through: `${service}.${Aws.REGION}.${Aws.URL_SUFFIX}`,
      },
    ],
    {},
  );
};
