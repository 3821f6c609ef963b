import { text } from 'node:stream/consumers';
import { serveOnLoopback } from '../../deploy/loopback-server.ts';

/** What STS, Systems Manager, Lambda, EC2, Service Quotas and CloudFormation answer about an account, over HTTP on loopback. */
export interface FakeAccount {
  /** An error's code in place of an identity. */
  readonly identityError?: string;
  /** The CDK's bootstrap version; `null` where it was never bootstrapped, an error's code where it may not be read. */
  readonly bootstrap: number | string | null;
  readonly unreservedConcurrency: number | string;
  /** How many there are of each in the region, and may be; an error's code where it may not be read. */
  readonly network?: {
    readonly vpcs: number | string;
    readonly addresses: number;
    readonly allowed: number;
    /** The account was never given another quota than the default. */
    readonly isDefault?: boolean;
  };
  /** Logical ids of what the stack has already; without them there is no stack. */
  readonly deployed?: readonly string[];
}

const xml = (name: string, inside: string): string => `<${name}Response>${inside}</${name}Response>`;
const items = (count: number, item: string): string => `<item>${item}</item>`.repeat(count);

/** What EC2 and CloudFormation answer, in XML; `null` for a question that is another service's. */
const answerQuery = (action: string, { network, deployed }: FakeAccount): readonly [number, string] | null => {
  const error = (status: number, code: string, message: string) =>
    [
      status,
      `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    ] as const;
  const { vpcs = 0, addresses = 0 } = network ?? {};
  switch (action) {
    case 'DescribeVpcs':
      return typeof vpcs === 'string'
        ? error(403, vpcs, 'no')
        : [200, xml(action, `<vpcSet>${items(vpcs, '<vpcId>vpc-1</vpcId>')}</vpcSet>`)];
    case 'DescribeAddresses': {
      const own = '<item><publicIp>192.0.2.1</publicIp><publicIpv4Pool>ipv4pool-ec2-1</publicIpv4Pool></item>';
      const theirs = items(addresses, '<publicIp>198.51.100.1</publicIp><publicIpv4Pool>amazon</publicIpv4Pool>');
      return [200, xml(action, `<addressesSet>${own}${theirs}</addressesSet>`)];
    }
    case 'ListStackResources': {
      if (!deployed) return error(400, 'ValidationError', 'Stack with id passpost-test does not exist');
      const members = deployed.map(
        (id) =>
          `<member><LogicalResourceId>${id}</LogicalResourceId><PhysicalResourceId>${id}-1</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>`,
      );
      const list = `<StackResourceSummaries>${members.join('')}</StackResourceSummaries>`;
      return [200, xml(action, `<ListStackResourcesResult>${list}</ListStackResourcesResult>`)];
    }
    default:
      return null;
  }
};

export const startFakeAws = async (account: FakeAccount) => {
  const asked: string[] = [];
  const server = await serveOnLoopback(async (request, response): Promise<unknown> => {
    const body = await text(request);
    const target = request.headers['x-amz-target'];
    const json = (status: number, answer: object, type?: string) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...(type ? { 'x-amzn-errortype': type } : {}) })
        .end(JSON.stringify(answer));
    if (request.url?.startsWith('/2016-08-19/account-settings')) {
      asked.push('lambda:GetAccountSettings');
      const { unreservedConcurrency: count } = account;
      if (typeof count === 'string') return json(403, { Message: 'no' }, count);
      return json(200, { AccountLimit: { ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: count } });
    }
    if (target === 'AmazonSSM.GetParameter') {
      asked.push(`ssm:GetParameter ${JSON.parse(body).Name}`);
      const { bootstrap } = account;
      if (bootstrap === null) return json(400, { __type: 'ParameterNotFound' });
      if (typeof bootstrap === 'string') return json(400, { __type: bootstrap });
      return json(200, { Parameter: { Name: JSON.parse(body).Name, Value: String(bootstrap) } });
    }
    const [, quotas] = /^ServiceQuotasV20190624\.(\w+)$/.exec(String(target)) ?? [];
    if (quotas) {
      asked.push(`servicequotas:${quotas} ${JSON.parse(body).QuotaCode}`);
      const { allowed = 5, isDefault = false } = account.network ?? {};
      if (isDefault && quotas === 'GetServiceQuota') return json(400, { __type: 'NoSuchResourceException' });
      return json(200, { Quota: { Value: allowed } });
    }
    const action = new URLSearchParams(body).get('Action') ?? '';
    const answered = answerQuery(action, account);
    if (answered) {
      // Which service is asked stands in the signature, as for AWS.
      const [, service] = /\/(\w+)\/aws4_request/.exec(request.headers.authorization ?? '') ?? [];
      asked.push(`${service}:${action}`);
      return response.writeHead(answered[0], { 'content-type': 'text/xml' }).end(answered[1]);
    }
    asked.push(`sts:${action}`);
    const error = account.identityError;
    response.writeHead(error ? 403 : 200, { 'content-type': 'text/xml' });
    return response.end(
      error
        ? `<ErrorResponse><Error><Type>Sender</Type><Code>${error}</Code><Message>no</Message></Error></ErrorResponse>`
        : '<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
    );
  });
  return { url: server.url, asked: asked as readonly string[], stop: server.stop };
};
