import { text } from 'node:stream/consumers';
import { serveOnLoopback } from '../../deploy/loopback-server.ts';

/** The state of an account that the fake STS, Systems Manager, Lambda, EC2, Service Quotas and CloudFormation show. */
export interface FakeAccount {
  /** Error code that STS returns instead of an identity. */
  readonly identityError?: string;
  /** The CDK's bootstrap version; `null` if the account is not bootstrapped, an error code if reading it fails. */
  readonly bootstrap: number | string | null;
  /** Concurrency that no function has reserved; an error code if reading it fails. */
  readonly unreservedConcurrency: number | string;
  /** Numbers of used VPCs and addresses in the region, and the quota of both; an error code if reading the VPCs fails. */
  readonly network?: {
    readonly vpcs: number | string;
    readonly addresses: number;
    readonly allowed: number;
    /** The account has only the default quota. */
    readonly isDefault?: boolean;
  };
  /** Logical ids of the resources that the stack already has; `undefined` if the stack does not exist. */
  readonly deployed?: readonly string[];
}

const xml = (name: string, inside: string): string => `<${name}Response>${inside}</${name}Response>`;
const items = (count: number, item: string): string => `<item>${item}</item>`.repeat(count);

/** Status and XML of a response of EC2 or CloudFormation; `null` for an action of another service. */
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
  const calls: string[] = [];
  const server = await serveOnLoopback(async (request, response): Promise<unknown> => {
    const body = await text(request);
    const target = request.headers['x-amz-target'];
    const json = (status: number, answer: object, type?: string) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...(type ? { 'x-amzn-errortype': type } : {}) })
        .end(JSON.stringify(answer));
    if (request.url?.startsWith('/2016-08-19/account-settings')) {
      calls.push('lambda:GetAccountSettings');
      const { unreservedConcurrency: count } = account;
      if (typeof count === 'string') return json(403, { Message: 'no' }, count);
      return json(200, { AccountLimit: { ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: count } });
    }
    if (target === 'AmazonSSM.GetParameter') {
      calls.push(`ssm:GetParameter ${JSON.parse(body).Name}`);
      const { bootstrap } = account;
      if (bootstrap === null) return json(400, { __type: 'ParameterNotFound' });
      if (typeof bootstrap === 'string') return json(400, { __type: bootstrap });
      return json(200, { Parameter: { Name: JSON.parse(body).Name, Value: String(bootstrap) } });
    }
    const [, quotas] = /^ServiceQuotasV20190624\.(\w+)$/.exec(String(target)) ?? [];
    if (quotas) {
      calls.push(`servicequotas:${quotas} ${JSON.parse(body).QuotaCode}`);
      const { allowed = 5, isDefault = false } = account.network ?? {};
      if (isDefault && quotas === 'GetServiceQuota') return json(400, { __type: 'NoSuchResourceException' });
      return json(200, { Quota: { Value: allowed } });
    }
    const action = new URLSearchParams(body).get('Action') ?? '';
    const answered = answerQuery(action, account);
    if (answered) {
      // The signature names the called service.
      const [, service] = /\/(\w+)\/aws4_request/.exec(request.headers.authorization ?? '') ?? [];
      calls.push(`${service}:${action}`);
      return response.writeHead(answered[0], { 'content-type': 'text/xml' }).end(answered[1]);
    }
    calls.push(`sts:${action}`);
    const error = account.identityError;
    response.writeHead(error ? 403 : 200, { 'content-type': 'text/xml' });
    return response.end(
      error
        ? `<ErrorResponse><Error><Type>Sender</Type><Code>${error}</Code><Message>no</Message></Error></ErrorResponse>`
        : '<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
    );
  });
  return { url: server.url, calls: calls as readonly string[], stop: server.stop };
};
