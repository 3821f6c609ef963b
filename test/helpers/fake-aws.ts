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
  /** The quota of concurrent executions; by default `unreservedConcurrency`, as if nothing were reserved. */
  readonly concurrencyQuota?: number;
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
  /** The stack that CloudFormation describes; an error code if describing it fails; `undefined` if it does not exist. */
  readonly stack?:
    | string
    | {
        readonly status: string;
        readonly isProtected: boolean;
        readonly engineConcurrency?: number;
        /** Resources that the rollback skipped. */
        readonly skipped?: readonly { readonly type: string; readonly id: string }[];
        /** The state that a deletion ends in, by default DELETE_COMPLETE. */
        readonly endsIn?: string;
      };
}

/** The ARN of the stack, which names it after its deletion, too. */
export const fakeStackId = 'arn:aws:cloudformation:eu-north-1:111122223333:stack/passpost-production/1-2-3';

const xml = (name: string, inside: string): string => `<${name}Response>${inside}</${name}Response>`;
const items = (count: number, item: string): string => `<item>${item}</item>`.repeat(count);

const failure = (status: number, code: string, message: string) =>
  [
    status,
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  ] as const;

/** Answers the actions that read, unprotect and delete the account's stack. The first read after a deletion shows it in progress. */
const stackAnswers = (account: FakeAccount) => {
  const { stack } = account;
  let state = typeof stack === 'object' ? { ...stack } : null;
  const describe = (name: string | null): readonly [number, string] => {
    if (typeof stack === 'string') return failure(403, stack, 'no');
    if (!state) return failure(400, 'ValidationError', `Stack with id ${name} does not exist`);
    const outputs =
      state.engineConcurrency === undefined
        ? ''
        : `<member><OutputKey>EngineConcurrency</OutputKey><OutputValue>${state.engineConcurrency}</OutputValue></member>`;
    const member = `<StackId>${fakeStackId}</StackId><StackName>passpost-production</StackName><StackStatus>${state.status}</StackStatus><EnableTerminationProtection>${state.isProtected}</EnableTerminationProtection><Outputs>${outputs}</Outputs>`;
    if (state.status === 'DELETE_IN_PROGRESS') state.status = state.endsIn ?? 'DELETE_COMPLETE';
    return [
      200,
      xml('DescribeStacks', `<DescribeStacksResult><Stacks><member>${member}</member></Stacks></DescribeStacksResult>`),
    ];
  };
  return (action: string, parameters: URLSearchParams): readonly [number, string] | null => {
    const name = parameters.get('StackName');
    if (action === 'DescribeStacks') return describe(name);
    if (action === 'ListStackResources' && state?.skipped) {
      const members = state.skipped.map(
        ({ type, id }) =>
          `<member><LogicalResourceId>a</LogicalResourceId><ResourceType>${type}</ResourceType><PhysicalResourceId>${id}</PhysicalResourceId><ResourceStatus>DELETE_SKIPPED</ResourceStatus></member>`,
      );
      const role =
        '<member><LogicalResourceId>b</LogicalResourceId><ResourceType>AWS::IAM::Role</ResourceType><PhysicalResourceId>role-1</PhysicalResourceId><ResourceStatus>DELETE_COMPLETE</ResourceStatus></member>';
      const list = `<StackResourceSummaries>${members.join('')}${role}</StackResourceSummaries>`;
      return [200, xml(action, `<ListStackResourcesResult>${list}</ListStackResourcesResult>`)];
    }
    if (action === 'UpdateTerminationProtection' && state && name === fakeStackId) {
      state = { ...state, isProtected: parameters.get('EnableTerminationProtection') === 'true' };
      return [200, xml(action, '<UpdateTerminationProtectionResult/>')];
    }
    if (action === 'DeleteStack' && state && name === fakeStackId) {
      if (state.isProtected) return failure(400, 'ValidationError', 'TerminationProtection is enabled');
      state = { ...state, status: 'DELETE_IN_PROGRESS' };
      return [200, xml(action, '')];
    }
    return null;
  };
};

/** Status and XML of a response of EC2 or CloudFormation; `null` for an action of another service. */
const answerQuery = (action: string, { network, deployed }: FakeAccount): readonly [number, string] | null => {
  const { vpcs = 0, addresses = 0 } = network ?? {};
  switch (action) {
    case 'DescribeVpcs':
      return typeof vpcs === 'string'
        ? failure(403, vpcs, 'no')
        : [200, xml(action, `<vpcSet>${items(vpcs, '<vpcId>vpc-1</vpcId>')}</vpcSet>`)];
    case 'DescribeAddresses': {
      const own = '<item><publicIp>192.0.2.1</publicIp><publicIpv4Pool>ipv4pool-ec2-1</publicIpv4Pool></item>';
      const theirs = items(addresses, '<publicIp>198.51.100.1</publicIp><publicIpv4Pool>amazon</publicIpv4Pool>');
      return [200, xml(action, `<addressesSet>${own}${theirs}</addressesSet>`)];
    }
    case 'ListStackResources': {
      if (!deployed) return failure(400, 'ValidationError', 'Stack with id passpost-test does not exist');
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
  const answerStack = stackAnswers(account);
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
      const { concurrencyQuota = count } = account;
      return json(200, {
        AccountLimit: { ConcurrentExecutions: concurrencyQuota, UnreservedConcurrentExecutions: count },
      });
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
    const parameters = new URLSearchParams(body);
    const action = parameters.get('Action') ?? '';
    const answered = answerStack(action, parameters) ?? answerQuery(action, account);
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
