import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { CfnOutput, CustomResource, Duration, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { env } from '../lambdas/runtime/env.ts';
import { customerKey } from './customer-key.ts';
import { grant, grantCustomerKey, lambdaFunction } from './lambda-function.ts';
import { removalPolicy } from './removal-policy.ts';
import type { StageConfig } from './stage-config.ts';
import type { Storage } from './storage.ts';

export interface KeyringProps {
  readonly stage: StageConfig;
  readonly storage: Storage;
}

/**
 * The timeout of the key-material function. At a deployment the function waits up to 90 s for its permissions, as
 * lambdas/runtime/custom-resource.ts says, and then needs seconds.
 */
const keyMaterialTimeout = Duration.minutes(3);

/** The secrets of the keyring and the operator's API key. Created empty; the key-material function fills them at deployment. */
export class Keyring extends Construct {
  private readonly keyring: Secret;
  private readonly stage: StageConfig;

  constructor(scope: Construct, id: string, { stage, storage }: KeyringProps) {
    super(scope, id);
    this.stage = stage;
    this.keyring = this.emptySecret('keyring', stage, 'PassPost: key pairs that open sealed secrets and signing keys');
    const operator = this.emptySecret('operator-key', stage, "PassPost: the operator's API key");

    const keyMaterial = lambdaFunction(this, 'key-material', { stage, timeout: keyMaterialTimeout });
    storage.grantFirstKeys(keyMaterial);
    grant(
      keyMaterial,
      [
        {
          actions: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
          resources: [this.keyring.secretArn, operator.secretArn],
        },
      ],
      { [env.keyringSecret]: this.keyring.secretArn, [env.operatorSecret]: operator.secretArn },
    );
    // Secrets Manager encrypts every new version of a secret with a new data key, so the key-material function may
    // create data keys.
    grantCustomerKey(keyMaterial, stage, 'secretsmanager', ['GenerateDataKey']);

    // CloudFormation invokes the function directly and not through the CDK's provider framework, which logs requests
    // and responses. The resource has no properties and returns only success, so no key can leak through it.
    const filled = new CustomResource(this, 'filled', {
      serviceToken: keyMaterial.functionArn,
      resourceType: 'Custom::PassPostKeyMaterial',
      // Longer than the function's timeout, so that Lambda's second invocation can still answer.
      serviceTimeout: Duration.minutes(10),
    });
    // The permissions of the key-material function are a separate resource. They must exist before CloudFormation first
    // invokes the function, so the custom resource depends on them.
    filled.node.addDependency(keyMaterial, keyMaterial.role ?? keyMaterial);

    new CfnOutput(this, 'operator-secret', {
      value: operator.secretArn,
      description: "The secret that holds the operator's API key",
    }).overrideLogicalId('OperatorKeySecret');
  }

  /** Lets a function read the keyring, with which it opens sealed secrets and signs. Only the deliver function may. */
  grantRead(fn: LambdaFunction): void {
    grant(fn, [{ actions: ['secretsmanager:GetSecretValue'], resources: [this.keyring.secretArn] }], {
      [env.keyringSecret]: this.keyring.secretArn,
    });
    grantCustomerKey(fn, this.stage, 'secretsmanager');
  }

  private emptySecret(id: string, stage: StageConfig, description: string): Secret {
    const encryptionKey = customerKey(this, stage);
    const secret = new Secret(this, id, {
      description,
      removalPolicy: removalPolicy(stage),
      ...(encryptionKey ? { encryptionKey } : {}),
    });
    // Removes the random password that the CDK's `Secret` construct would generate, because only the key-material
    // function can create the secret's value.
    (secret.node.defaultChild as CfnSecret).generateSecretString = undefined;
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Rotation adds a key pair and keeps the older ones, so that existing webhook secrets can still be opened; a rotation schedule that overwrites the value would lose them. The operator rotates the API key through the API.',
    });
    return secret;
  }
}
