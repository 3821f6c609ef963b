import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { CfnOutput, CustomResource, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { env } from '../lambdas/runtime/env.ts';
import { customerKey } from './customer-key.ts';
import { grant, grantCustomerKey, lambdaFunction } from './lambda-function.ts';
import type { StageConfig } from './stage-config.ts';
import type { Storage } from './storage.ts';

export interface KeyringProps {
  readonly stage: StageConfig;
  readonly storage: Storage;
}

/** The keyring and the operator's key: made empty, filled once at deployment by a function of our own. */
export class Keyring extends Construct {
  private readonly keyring: Secret;
  private readonly stage: StageConfig;

  constructor(scope: Construct, id: string, { stage, storage }: KeyringProps) {
    super(scope, id);
    this.stage = stage;
    this.keyring = this.emptySecret(
      'keyring',
      stage,
      'PassPost: key pairs that open sealed secrets and sign deliveries',
    );
    const operator = this.emptySecret('operator-key', stage, "PassPost: the operator's API key");

    const keyMaterial = lambdaFunction(this, 'key-material', { stage, timeout: Duration.seconds(60) });
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
    // A new version is encrypted with a data key of its own.
    grantCustomerKey(keyMaterial, stage, 'secretsmanager', ['GenerateDataKey']);

    // No provider framework: it logs what passes through it. No properties, no answer but success: nothing can leak.
    const filled = new CustomResource(this, 'filled', {
      serviceToken: keyMaterial.functionArn,
      resourceType: 'Custom::PassPostKeyMaterial',
      serviceTimeout: Duration.minutes(5),
    });
    // Its policy comes apart from the function and is asked for at the first call.
    filled.node.addDependency(keyMaterial, keyMaterial.role ?? keyMaterial);

    new CfnOutput(this, 'operator-secret', {
      value: operator.secretArn,
      description: "The secret that holds the operator's API key",
    }).overrideLogicalId('OperatorKeySecret');
  }

  /** Opens sealed secrets and signs. One function may. */
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
      removalPolicy: stage.retainsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(encryptionKey ? { encryptionKey } : {}),
    });
    // The construct would have a password made; what belongs here, only the key-material function can make.
    (secret.node.defaultChild as CfnSecret).generateSecretString = undefined;
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'A key pair is not replaced but joined by a newer one, so that what was sealed before can still be opened, and the operator rotates the API key through the API: a rotation schedule that overwrites the value would lose every webhook secret.',
    });
    return secret;
  }
}
