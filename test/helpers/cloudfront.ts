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

/** The properties of the only resource of this type. Throws if there is not exactly one. */
const onlyResource = (assembly: Assembly, type: string): Readonly<Record<string, unknown>> => {
  const [resource, ...others] = resourcesOf(assembly, type);
  if (!resource || others.length > 0) {
    throw new Error(`The template has ${others.length + (resource ? 1 : 0)} resources of type ${type}.`);
  }
  return resource.properties;
};

/** `{{resolve:secretsmanager:<arn>:SecretString:::}}`, https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html */
const resolveSecret = async (text: string, client: SecretsManagerClient): Promise<string> => {
  const [, SecretId] = /^\{\{resolve:secretsmanager:(arn:.*):SecretString:::\}\}$/.exec(text) ?? [];
  if (SecretId === undefined) throw new Error(`${text} is not a reference to a secret`);
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
  return SecretString;
};

/**
 * Starts a server that does what the template's distribution does with a request: it runs the distribution's function, adds
 * the secret header, removes the host header and forwards the request to the origin. `viewerAddress` is the client's address.
 */
export const startCloudFront = async (
  assembly: Assembly,
  client: SecretsManagerClient,
  originUrl: string,
  viewerAddress: string,
): Promise<LoopbackServer> => {
  const resolve = createResolver(assembly.stackName, { ref: secretArn, attribute: (id, name) => `${id}.${name}` });
  const { DistributionConfig } = resolve(onlyResource(assembly, 'AWS::CloudFront::Distribution')) as {
    DistributionConfig: Distribution;
  };
  const [{ OriginCustomHeaders }] = DistributionConfig.Origins;
  const addedHeaders = await Promise.all(
    OriginCustomHeaders.map(async ({ HeaderName, HeaderValue }) => [
      HeaderName,
      await resolveSecret(HeaderValue, client),
    ]),
  );
  const { FunctionCode } = onlyResource(assembly, 'AWS::CloudFront::Function') as { FunctionCode: string };
  const handler = runInNewContext(`${FunctionCode};handler`) as (event: object) => { headers: Headers };

  return serveOnLoopback(async (viewer, response) => {
    const entries = Object.entries(viewer.headersDistinct).map(([name, values]) => [name, { value: String(values) }]);
    const viewerRequest = handler({ viewer: { ip: viewerAddress }, request: { headers: Object.fromEntries(entries) } });
    const { host: _, ...headers } = Object.fromEntries(
      Object.entries(viewerRequest.headers).map(([name, { value }]) => [name, value]),
    );
    const forwarded = request(originUrl + viewer.url, {
      method: viewer.method ?? 'GET',
      headers: { ...headers, ...Object.fromEntries(addedHeaders) },
    });
    viewer.pipe(forwarded);
    const [originResponse] = await once(forwarded, 'response');
    response.writeHead(originResponse.statusCode, originResponse.headers);
    originResponse.pipe(response);
  });
};
