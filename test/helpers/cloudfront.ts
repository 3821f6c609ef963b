import { once } from 'node:events';
import { request } from 'node:http';
import { runInNewContext } from 'node:vm';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type LoopbackServer, serveOnLoopback } from '../../deploy/loopback-server.ts';
import { secretArn } from '../../local/state/secrets.ts';
import { createResolver } from '../../local/template/intrinsics.ts';
import { type Assembly, resourcesOf } from '../../local/template/template.ts';

interface Distribution {
  readonly Origins: readonly [{ readonly OriginCustomHeaders: readonly { HeaderName: string; HeaderValue: string }[] }];
}

type Headers = Record<string, { value: string }>;

const only = (assembly: Assembly, type: string): Readonly<Record<string, unknown>> => {
  const [found, ...more] = resourcesOf(assembly, type);
  if (!found || more.length > 0) throw new Error(`The template has ${more.length + (found ? 1 : 0)} of ${type}.`);
  return found.properties;
};

/** `{{resolve:secretsmanager:<arn>:SecretString:::}}`, https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html */
const resolveSecret = async (text: string, client: SecretsManagerClient): Promise<string> => {
  const [, SecretId] = /^\{\{resolve:secretsmanager:(arn:.*):SecretString:::\}\}$/.exec(text) ?? [];
  if (SecretId === undefined) throw new Error(`${text} is no reference to a secret`);
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
  return SecretString;
};

/**
 * What the template's distribution does with a request: runs its function, adds its header, leaves the host out and hands
 * it on. `viewerAddress` is where requests come from.
 */
export const startCloudFront = async (
  assembly: Assembly,
  client: SecretsManagerClient,
  originUrl: string,
  viewerAddress: string,
): Promise<LoopbackServer> => {
  const resolve = createResolver(assembly.stackName, { ref: secretArn, attribute: (id, name) => `${id}.${name}` });
  const { DistributionConfig } = resolve(only(assembly, 'AWS::CloudFront::Distribution')) as {
    DistributionConfig: Distribution;
  };
  const [{ OriginCustomHeaders }] = DistributionConfig.Origins;
  const added = await Promise.all(
    OriginCustomHeaders.map(async ({ HeaderName, HeaderValue }) => [
      HeaderName,
      await resolveSecret(HeaderValue, client),
    ]),
  );
  const { FunctionCode } = only(assembly, 'AWS::CloudFront::Function') as { FunctionCode: string };
  const handler = runInNewContext(`${FunctionCode};handler`) as (event: object) => { headers: Headers };

  return serveOnLoopback(async (viewer, response) => {
    const entries = Object.entries(viewer.headersDistinct).map(([name, values]) => [name, { value: String(values) }]);
    const told = handler({ viewer: { ip: viewerAddress }, request: { headers: Object.fromEntries(entries) } });
    const { host: _, ...headers } = Object.fromEntries(
      Object.entries(told.headers).map(([name, { value }]) => [name, value]),
    );
    const onward = request(originUrl + viewer.url, {
      method: viewer.method ?? 'GET',
      headers: { ...headers, ...Object.fromEntries(added) },
    });
    viewer.pipe(onward);
    const [answer] = await once(onward, 'response');
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
};
