import assert from 'node:assert/strict';
import { frontDoorSettings, mostSettings } from '../helpers/settings.ts';
import type { Deployment } from './deployment.ts';
import type { Emulator } from './emulator.ts';

const PATH = '/.well-known/jwks.json';

const unescapeXml = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');

/** Reads the header that CloudFront sends to the API, from the only distribution. https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributions.html */
const readFrontDoorHeader = async ({ port, account, region }: Emulator): Promise<Record<string, string>> => {
  const authorization = `AWS4-HMAC-SHA256 Credential=${account}/20260101/${region}/cloudfront/aws4_request, SignedHeaders=host, Signature=0`;
  const response = await fetch(`http://127.0.0.1:${port}/2020-05-31/distribution`, { headers: { authorization } });
  const [, name = '', value = ''] =
    /<HeaderName>(.*?)<\/HeaderName><HeaderValue>(.*?)<\/HeaderValue>/.exec(await response.text()) ?? [];
  return { [name]: unescapeXml(value) };
};

/**
 * Deploys with every setting changed, except fixed addresses, which the emulator does not support. Checks that the API then
 * requires CloudFront's header. Deploys again without the settings.
 */
export const deployEverySetting = async (
  emulator: Emulator,
  { call }: Deployment,
  deployWith: (settings: Readonly<Record<string, string>>) => Promise<Deployment>,
  tryTheApi: (deployment: Deployment) => Promise<void>,
): Promise<void> => {
  const statusOf = async (headers: Record<string, string>) =>
    (await call('GET', PATH, null, undefined, headers)).status;
  assert.equal(await statusOf({}), 200);

  const deployment = await deployWith({ ...mostSettings, ...frontDoorSettings });

  assert.equal(deployment.outputs.ApiUrl, `https://${mostSettings.domainName}`);
  const header = await readFrontDoorHeader(emulator);
  const [name = ''] = Object.keys(header);
  assert.equal(name, 'x-passpost-front-door');
  assert.equal(await statusOf({}), 401, 'a call without the header must be refused');
  assert.equal(await statusOf({ [name]: 'x'.repeat(64) }), 403, 'a call with a wrong secret must be refused');
  assert.equal(await statusOf(header), 200, "a call with CloudFront's header must be answered");
  await tryTheApi({ ...deployment, call: (method, path, key, body) => call(method, path, key, body, header) });

  // Removes the customer's key as docs/deploying.md describes, so the next deployment needs no settings.
  await deployWith({ formerKmsKeyArn: mostSettings.kmsKeyArn });
  assert.equal(await statusOf({}), 200, 'without the front door a call needs no header');
};
