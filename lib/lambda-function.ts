import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, type RecursiveLoop, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Aws, type Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { serviceVariable } from '../lambdas/runtime/metric-names.ts';
import { bundle } from './bundles.ts';
import { customerKey, usableKeys } from './customer-key.ts';
import type { EgressNetwork } from './egress-network.ts';
import type { StageConfig } from './stage-config.ts';

export interface LambdaFunctionProps {
  readonly stage: StageConfig;
  readonly timeout: Duration;
  readonly recursiveLoop?: RecursiveLoop;
  /** Where its connections leave from; without one, from addresses of AWS's choosing. */
  readonly network?: EgressNetwork | undefined;
}

/** Kept as long as the stage says, under the customer's key where there is one. */
export const createLogGroup = (scope: Construct, id: string, stage: StageConfig): LogGroup => {
  const encryptionKey = customerKey(scope, stage);
  return new LogGroup(scope, id, {
    retention: stage.logRetentionDays,
    removalPolicy: stage.retainsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    ...(encryptionKey ? { encryptionKey } : {}),
  });
};

/** The function whose code is `lambdas/functions/<name>.ts`; it may do nothing but log and trace until it is granted more. */
export const lambdaFunction = (scope: Construct, name: string, props: LambdaFunctionProps): LambdaFunction => {
  const { stage } = props;
  const logGroup = createLogGroup(scope, `${name}-log`, stage);
  // A role of our own: the managed policy may write to every log group of the account.
  const role = new Role(scope, `${name}-role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  props.network?.admit(role);
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
    ...(props.recursiveLoop ? { recursiveLoop: props.recursiveLoop } : {}),
    ...props.network?.placement,
  });
  props.network?.denyCode(fn, role);
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'X-Ray knows no resources: sending traces can only be allowed on *.',
  });
  Validations.of(fn).acknowledge({
    id: 'Serverless-LambdaDLQ',
    reason:
      'Only ticks call functions asynchronously, and a lost tick changes nothing. What comes from a queue or the stream has its dead letters there; what comes from the API has its caller.',
  });
  if (!stage.isTraced) {
    Validations.of(fn).acknowledge({ id: 'Serverless-LambdaTracing', reason: 'Whoever deploys it has turned it off.' });
  }
  return fn;
};

export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Patterns that the partition key of every row touched must match. */
  readonly leadingKeys?: readonly string[];
  /** The only service that may make the call on the function's behalf. */
  readonly through?: string;
}

/** Lets a function do something and names it what it does it with. */
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
 * What a caller of each service must be allowed with a customer's key; AWS's own keys ask for nothing. For DynamoDB it is
 * what AWS documents for a table, but for the grant, which is made when the key is chosen, by whoever deploys.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 */
const uses = {
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

/** Lets a function use the customer's keys, through a service it may call anyway and for nothing else. */
export const grantCustomerKey = (
  fn: LambdaFunction,
  stage: StageConfig,
  service: keyof typeof uses,
  more: readonly string[] = [],
): void => {
  const resources = usableKeys(stage);
  if (resources.length === 0) return;
  grant(
    fn,
    [
      {
        actions: [...uses[service], ...more].map((name) => `kms:${name}`),
        resources,
        through: `${service}.${Aws.REGION}.${Aws.URL_SUFFIX}`,
      },
    ],
    {},
  );
};
