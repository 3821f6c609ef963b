import { dynamoClient, secretsClient } from './adapters/aws-clients.ts';
import { addOperatorKey } from './adapters/operator-key.ts';
import { putPublicKeys } from './adapters/public-keys.ts';
import { createSecretStore } from './adapters/secret-store.ts';
import { provideKeyMaterial } from './domain/key-material.ts';
import { readConfig } from './runtime/config.ts';
import { customResourceHandler } from './runtime/custom-resource.ts';

const config = readConfig(['deliveryTable', 'keyringSecret', 'operatorSecret']);
const dynamo = dynamoClient();
const secrets = secretsClient();

export const handler = customResourceHandler(() =>
  provideKeyMaterial(
    {
      keyring: createSecretStore(secrets, config.keyringSecret),
      operator: createSecretStore(secrets, config.operatorSecret),
      putPublicKeys: (keys) => putPublicKeys(dynamo, config.deliveryTable, keys),
      addOperatorKey: (key) => addOperatorKey(dynamo, config.deliveryTable, key),
    },
    Date.now(),
  ),
);
