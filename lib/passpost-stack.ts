import { CfnOutput, Stack, Tags } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { nameAwsKeys } from './customer-key.ts';
import { Delivery } from './delivery.ts';
import { FanOut } from './fan-out.ts';
import { Keyring } from './keyring.ts';
import { Monitoring } from './monitoring.ts';
import { PublicApi } from './public-api.ts';
import type { StageConfig } from './stage-config.ts';
import { Storage } from './storage.ts';

/** The whole of PassPost in one stack, for one stage. */
export class PassPostStack extends Stack {
  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id, {
      stackName: `passpost-${stage.stage}`,
      description: 'PassPost: courier tasks in, signed webhooks out',
      terminationProtection: stage.retainsData,
    });
    Tags.of(this).add('passpost:stage', stage.stage);

    const storage = new Storage(this, 'storage', { stage });
    const keyring = new Keyring(this, 'keyring', { stage, storage });
    const delivery = new Delivery(this, 'delivery', { stage, storage, keyring });
    const fanOut = new FanOut(this, 'fan-out', { stage, storage, delivery });
    const api = new PublicApi(this, 'api', { stage, storage });
    api.guardEgress(delivery.deliver);
    new Monitoring(this, 'monitoring', { stage, storage, delivery, fanOut, api });
    nameAwsKeys(this, stage);
    // `npm run deploy` reads this output, so that a later deployment keeps the reservation of this one.
    if (stage.engineConcurrency !== null) {
      new CfnOutput(this, 'engine-concurrency', {
        value: String(stage.engineConcurrency),
        description: 'Concurrent invocations that Lambda reserves for the functions that deliver',
      }).overrideLogicalId('EngineConcurrency');
    }
  }
}
