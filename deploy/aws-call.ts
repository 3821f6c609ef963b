import { STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';

export interface AwsCall {
  readonly service: 'ec2' | 'servicequotas';
  readonly region: string;
  /** The address that replaces AWS's endpoint (AWS_ENDPOINT_URL); `undefined` for AWS's own endpoint. */
  readonly endpoint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const codeOf = (response: Response, text: string): string => {
  const [, inXml] = /<Code>(\w+)<\/Code>/.exec(text) ?? [];
  const [, inJson] = /"__type":\s*"(?:[\w.]+#)?(\w+)"/.exec(text) ?? [];
  return (
    inXml ?? inJson ?? response.headers.get('x-amzn-errortype')?.replace(/[:;].*/, '') ?? `HTTP ${response.status}`
  );
};

/**
 * Makes one signed call to AWS and returns the response body. Used for services with few calls instead of their SDK
 * clients, because EC2's client is the largest of all. Throws an error whose name is AWS's error code.
 */
export const callAws = async ({ service, region, endpoint, headers, body }: AwsCall): Promise<string> => {
  const { credentials, sha256 } = new STSClient({ region }).config;
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = new URL(endpoint ?? `https://${service}.${region}.${suffix}`);
  const signed = await new SignatureV4({ service, region, credentials, sha256 }).sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: '/',
    headers: { ...headers, host: url.host },
    body,
  });
  const response = await fetch(url, { method: 'POST', headers: signed.headers, body });
  const text = await response.text();
  if (response.ok) return text;
  throw Object.assign(new Error(text), { name: codeOf(response, text) });
};
