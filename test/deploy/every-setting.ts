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

/** The header that the only distribution adds. https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributions.html */
const headerShown = async ({ port, account, region }: Emulator): Promise<Record<string, string>> => {
  const authorization = `AWS4-HMAC-SHA256 Credential=${account}/20260101/${region}/cloudfront/aws4_request, SignedHeaders=host, Signature=0`;
  const response = await fetch(`http://127.0.0.1:${port}/2020-05-31/distribution`, { headers: { authorization } });
  const [, name = '', value = ''] =
    /<HeaderName>(.*?)<\/HeaderName><HeaderValue>(.*?)<\/HeaderValue>/.exec(await response.text()) ?? [];
  return { [name]: unescapeXml(value) };
};

/**
 * Changes every setting of what is deployed but for fixed addresses, which the emulator does not know, and puts CloudFront
 * with a web ACL before it: only what it shows opens the API. And takes it all away again.
 */
export const deployEverySetting = async (
  emulator: Emulator,
  { call }: Deployment,
  deployWith: (settings: Readonly<Record<string, string>>) => Promise<Deployment>,
  tryIt: (there: Deployment) => Promise<void>,
): Promise<void> => {
  const statusOf = async (headers: Record<string, string>) =>
    (await call('GET', PATH, null, undefined, headers)).status;
  assert.equal(await statusOf({}), 200);

  const there = await deployWith({ ...mostSettings, ...frontDoorSettings });

  assert.equal(there.outputs.ApiUrl, `https://${mostSettings.domainName}`);
  const shown = await headerShown(emulator);
  const [name = ''] = Object.keys(shown);
  assert.equal(name, 'x-passpost-front-door');
  assert.equal(await statusOf({}), 401, 'nothing leads round the front door');
  assert.equal(await statusOf({ [name]: 'x'.repeat(64) }), 403, 'nor does another secret');
  assert.equal(await statusOf(shown), 200, 'what CloudFront shows opens the API');
  await tryIt({ ...there, call: (method, path, key, body) => call(method, path, key, body, shown) });

  // The key is taken off as docs/deploying.md says; the next deployment, of whatever release, has none of it.
  await deployWith({ formerKmsKeyArn: mostSettings.kmsKeyArn });
  assert.equal(await statusOf({}), 200, 'without the front door the API is open again');
};
