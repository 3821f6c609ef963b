import { addOperatorKey } from '../adapters/accounts/operator-key.ts';
import { dynamoClient, secretsClient } from '../adapters/aws/aws-clients.ts';
import { putPublicKeys } from '../adapters/keyring/public-keys.ts';
import { createSecretStore } from '../adapters/keyring/secret-store.ts';
import { provideKeyMaterial } from '../domain/keyring/key-material.ts';
import type { PublicKeys } from '../domain/keyring/keyring.ts';
import { rotateKeyring, rotationSchema } from '../domain/keyring/rotate-keyring.ts';
import { readConfig } from '../runtime/config.ts';
import { customResourceHandler } from '../runtime/custom-resource.ts';
import { log } from '../runtime/log.ts';
import { isOperatorEvent, operatorHandler } from '../runtime/operator-event.ts';

const config = readConfig(['credentialsTable', 'keyringSecret', 'operatorSecret']);
const dynamo = dynamoClient();
const secrets = secretsClient();
const dependencies = {
  keyring: createSecretStore(secrets, config.keyringSecret),
  putPublicKeys: (keys: PublicKeys) => putPublicKeys(dynamo, config.credentialsTable, keys),
  clock: Date.now,
};

const onDeployment = customResourceHandler(() =>
  provideKeyMaterial(
    {
      ...dependencies,
      operator: createSecretStore(secrets, config.operatorSecret),
      addOperatorKey: (key) => addOperatorKey(dynamo, config.credentialsTable, key),
    },
    Date.now(),
  ),
);

const onRotation = operatorHandler(rotationSchema, async ({ signs_in_seconds }) => {
  const rotation = await rotateKeyring(dependencies, signs_in_seconds);
  log('info', 'keyring.rotated', { ...rotation });
  return rotation;
});

/** Fills empty secrets if CloudFormation invokes the function; rotates the keyring if an operator invokes it. */
export const handler = (event: unknown) => (isOperatorEvent(event) ? onRotation(event) : onDeployment(event));
