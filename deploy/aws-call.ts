import { STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';

export interface AwsCall {
  readonly service: 'ec2' | 'servicequotas';
  readonly region: string;
  /** In place of AWS's own, as the SDK reads it from AWS_ENDPOINT_URL. */
  readonly endpoint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const codeOf = (answer: Response, text: string): string => {
  const [, inXml] = /<Code>(\w+)<\/Code>/.exec(text) ?? [];
  const [, inJson] = /"__type":\s*"(?:[\w.]+#)?(\w+)"/.exec(text) ?? [];
  return inXml ?? inJson ?? answer.headers.get('x-amzn-errortype')?.replace(/[:;].*/, '') ?? `HTTP ${answer.status}`;
};

/** One signed call of a service that is asked too little for a client of its own; EC2's is the largest there is. An error's name is AWS's code. */
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
  const answer = await fetch(url, { method: 'POST', headers: signed.headers, body });
  const text = await answer.text();
  if (answer.ok) return text;
  throw Object.assign(new Error(text), { name: codeOf(answer, text) });
};
