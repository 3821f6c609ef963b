import { dynamoClient, takeAwsUse } from './adapters/aws-clients.ts';
import { createPublicKeys } from './adapters/public-keys.ts';
import { getPublicKeys } from './contract/public-keys.ts';
import { readConfig } from './runtime/config.ts';
import { httpHandler } from './runtime/http.ts';
import { route } from './runtime/operation.ts';

const config = readConfig(['deliveryTable']);
const publicKeys = createPublicKeys(dynamoClient(), config.deliveryTable, Date.now);

export const handler = httpHandler(
  [
    route(getPublicKeys, async () => {
      const { jwks } = await publicKeys();
      return { status: 200, body: jwks, headers: { 'cache-control': 'public, max-age=300' } };
    }),
  ],
  { surface: 'native', use: takeAwsUse },
);
