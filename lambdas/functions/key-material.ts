import { addFirstOperator, provideFirstOperator, replaceFirstKey } from '../adapters/accounts/operator-key.ts';
import { expireOperatorKey, readOperator } from '../adapters/accounts/operators-table.ts';
import { dynamoClient, secretsClient } from '../adapters/aws/aws-clients.ts';
import { putPublicKeys } from '../adapters/keyring/public-keys.ts';
import { createSecretStore } from '../adapters/keyring/secret-store.ts';
import { provideKeyMaterial } from '../domain/keyring/key-material.ts';
import type { PublicKeys } from '../domain/keyring/keyring.ts';
import { rotateKeyring } from '../domain/keyring/rotate-keyring.ts';
import { keyMaterialRequestSchema, rotateFirstOperatorKey } from '../domain/keyring/rotate-operator-key.ts';
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
};

const operatorSecret = createSecretStore(secrets, config.operatorSecret);

const onDeployment = customResourceHandler(() =>
  provideKeyMaterial(
    {
      ...dependencies,
      operator: operatorSecret,
      addFirstOperator: (...first) => provideFirstOperator(dynamo, config.credentialsTable, ...first),
    },
    Date.now(),
  ),
);

const onRequest = operatorHandler(keyMaterialRequestSchema, async (request) => {
  if (request.operation === 'rotate-keyring') {
    const rotation = await rotateKeyring(dependencies);
    log('info', 'keyring.rotated', { ...rotation });
    return rotation;
  }
  const rotation = await rotateFirstOperatorKey(
    {
      secret: operatorSecret,
      find: (id) => readOperator(dynamo, config.credentialsTable, id),
      add: (...first) => addFirstOperator(dynamo, config.credentialsTable, ...first),
      replaceKey: (before, key) => replaceFirstKey(dynamo, config.credentialsTable, before, key),
      expireKey: (hash, endMs) => expireOperatorKey(dynamo, config.credentialsTable, hash, endMs),
    },
    request.overlap_seconds,
    Date.now(),
  );
  log('info', 'operator-key.rotated', { ...rotation });
  return rotation;
});

/**
 * Fills empty secrets if CloudFormation invokes the function; rotates the keyring or the first operator's key if an
 * operator invokes it.
 */
export const handler = (event: unknown) => (isOperatorEvent(event) ? onRequest(event) : onDeployment(event));
