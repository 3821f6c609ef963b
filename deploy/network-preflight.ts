import { callAws } from './aws-call.ts';
import { listResources } from './deployed-stack.ts';
import type { Plan } from './plan.ts';
import { type Finding, isAccessDenied, type Target } from './preflight.ts';

/** A resource type with a low quota per region. https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
interface LimitedResource {
  readonly type: keyof Plan['network'];
  readonly name: string;
  readonly quota: { readonly service: string; readonly code: string; readonly name: string };
  /** Returns the parameters of the EC2 call that lists the account's resources of this type. */
  readonly list: (account: string) => Readonly<Record<string, string>>;
  /** Matches once in EC2's response for each resource that counts against the quota. */
  readonly mark: RegExp;
}

const limitedResources: readonly LimitedResource[] = [
  {
    type: 'AWS::EC2::VPC',
    name: 'VPCs',
    quota: { service: 'vpc', code: 'L-F678F1CE', name: 'VPCs per Region' },
    // Lists only the account's own VPCs, because shared VPCs of other accounts do not count against the quota.
    list: (account) => ({ Action: 'DescribeVpcs', 'Filter.1.Name': 'owner-id', 'Filter.1.Value.1': account }),
    mark: /<vpcId>/g,
  },
  {
    type: 'AWS::EC2::EIP',
    name: 'Elastic IP addresses',
    quota: { service: 'ec2', code: 'L-0263D0A3', name: 'EC2-VPC Elastic IPs' },
    list: () => ({ Action: 'DescribeAddresses' }),
    // Counts only Amazon's addresses, because addresses that the account brought itself do not count against the quota.
    mark: /<publicIpv4Pool>amazon</g,
  },
];

/** Returns the logical ids of the resources that the deployed stack has; an empty set if the stack does not exist. */
const existingResources = async (stackName: string, region: string): Promise<ReadonlySet<string>> => {
  const resources = await listResources(stackName, region);
  return new Set(
    resources
      .filter(({ PhysicalResourceId, ResourceStatus }) => PhysicalResourceId && !ResourceStatus?.startsWith('DELETE_'))
      .map(({ LogicalResourceId = '' }) => LogicalResourceId),
  );
};

const readQuota = async (
  { service, code }: LimitedResource['quota'],
  region: string,
  endpoint?: string,
): Promise<number> => {
  const call = (operation: string) =>
    callAws({
      service: 'servicequotas',
      region,
      endpoint,
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `ServiceQuotasV20190624.${operation}`,
      },
      body: JSON.stringify({ ServiceCode: service, QuotaCode: code }),
    });
  const response = await call('GetServiceQuota').catch((error: Error) => {
    if (error.name !== 'NoSuchResourceException') throw error;
    return call('GetAWSDefaultServiceQuota');
  });
  return Number(JSON.parse(response).Quota.Value);
};

const count = async (
  { list, mark }: LimitedResource,
  { account, region }: Target,
  endpoint?: string,
): Promise<number> => {
  const response = await callAws({
    service: 'ec2',
    region,
    endpoint,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...list(account), Version: '2016-11-15' }).toString(),
  });
  return response.match(mark)?.length ?? 0;
};

const checkQuota = async (
  resource: LimitedResource,
  needed: number,
  target: Target,
  endpoint?: string,
): Promise<Finding> => {
  const { name, quota } = resource;
  const [used, allowed] = await Promise.all([
    count(resource, target, endpoint),
    readQuota(quota, target.region, endpoint),
  ]);
  const usage = `The account uses ${used} of the ${allowed} ${name} that it may have in ${target.region}`;
  return used + needed <= allowed
    ? { verdict: 'fine', message: `${usage}, and egressAddresses needs ${needed} more` }
    : {
        verdict: 'missing',
        message: `${usage}, and egressAddresses needs ${needed} more: request an increase of the quota "${quota.name}" (${quota.code}) in Service Quotas, or release resources.`,
      };
};

/**
 * Checks that the account's quotas have room for the VPC and the Elastic IP addresses of `egressAddresses`. Returns no
 * findings if the deployed stack has them already or if the stack needs none.
 */
export const checkNetwork = async (
  { stackName, network }: Plan,
  target: Target,
  endpoint?: string,
): Promise<readonly Finding[]> => {
  const hasNetwork = Object.values(network).some((ids) => ids.length > 0);
  if (!hasNetwork) return [];
  try {
    const existing = await existingResources(stackName, target.region);
    const missing = limitedResources
      .map((resource) => ({ resource, needed: network[resource.type].filter((id) => !existing.has(id)).length }))
      .filter(({ needed }) => needed > 0);
    return await Promise.all(missing.map(({ resource, needed }) => checkQuota(resource, needed, target, endpoint)));
  } catch (error) {
    if (!isAccessDenied(error)) throw error;
    return [
      {
        verdict: 'unknown',
        message: `It is unknown whether the quotas have room for the network of egressAddresses: these credentials may not read them (cloudformation:ListStackResources, ec2:DescribeVpcs, ec2:DescribeAddresses, servicequotas:GetServiceQuota).`,
      },
    ];
  }
};
