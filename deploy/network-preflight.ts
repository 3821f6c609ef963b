import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { callAws } from './aws-call.ts';
import type { Plan } from './plan.ts';
import { type Finding, isRefusal, type Target } from './preflight.ts';

/** What an account has few of in each region. https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
interface Scarce {
  readonly type: keyof Plan['network'];
  readonly name: string;
  readonly quota: { readonly service: string; readonly code: string; readonly name: string };
  readonly list: (account: string) => Readonly<Record<string, string>>;
  /** Stands once for each that counts. */
  readonly mark: RegExp;
}

const scarce: readonly Scarce[] = [
  {
    type: 'AWS::EC2::VPC',
    name: 'VPCs',
    quota: { service: 'vpc', code: 'L-F678F1CE', name: 'VPCs per Region' },
    // Those that others share with the account are not its own.
    list: (account) => ({ Action: 'DescribeVpcs', 'Filter.1.Name': 'owner-id', 'Filter.1.Value.1': account }),
    mark: /<vpcId>/g,
  },
  {
    type: 'AWS::EC2::EIP',
    name: 'Elastic IP addresses',
    quota: { service: 'ec2', code: 'L-0263D0A3', name: 'EC2-VPC Elastic IPs' },
    list: () => ({ Action: 'DescribeAddresses' }),
    // Nor do those count that the account brought itself.
    mark: /<publicIpv4Pool>amazon</g,
  },
];

/** The logical ids of what stands in the stack already. */
const ownResources = async (stackName: string, region: string): Promise<ReadonlySet<string>> => {
  const client = new CloudFormationClient({ maxAttempts: 2, region });
  const ids = new Set<string>();
  try {
    for await (const { StackResourceSummaries = [] } of paginateListStackResources(
      { client },
      { StackName: stackName },
    )) {
      for (const { LogicalResourceId, PhysicalResourceId, ResourceStatus } of StackResourceSummaries) {
        if (LogicalResourceId && PhysicalResourceId && ResourceStatus !== 'DELETE_COMPLETE') ids.add(LogicalResourceId);
      }
    }
  } catch (error) {
    if (error instanceof Error && /does not exist/.test(error.message)) return ids;
    throw error;
  }
  return ids;
};

const readQuota = async ({ service, code }: Scarce['quota'], region: string, endpoint?: string): Promise<number> => {
  const ask = (operation: string) =>
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
  const answer = await ask('GetServiceQuota').catch((error: Error) => {
    if (error.name !== 'NoSuchResourceException') throw error;
    return ask('GetAWSDefaultServiceQuota');
  });
  return Number(JSON.parse(answer).Quota.Value);
};

const count = async ({ list, mark }: Scarce, { account, region }: Target, endpoint?: string): Promise<number> => {
  const answer = await callAws({
    service: 'ec2',
    region,
    endpoint,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...list(account), Version: '2016-11-15' }).toString(),
  });
  return answer.match(mark)?.length ?? 0;
};

const checkOne = async (one: Scarce, needed: number, target: Target, endpoint?: string): Promise<Finding> => {
  const { name, quota } = one;
  const [used, allowed] = await Promise.all([count(one, target, endpoint), readQuota(quota, target.region, endpoint)]);
  const read = `${used} of the ${allowed} ${name} that the account may have in ${target.region} are there`;
  return used + needed <= allowed
    ? { verdict: 'fine', says: `${read}, ${needed} more for egressAddresses` }
    : {
        verdict: 'missing',
        says: `${read} and egressAddresses needs ${needed} more: have the quota "${quota.name}" (${quota.code}) raised in Service Quotas, or give one back.`,
      };
};

/** Whether there is room for the network of fixed addresses, where it does not stand yet. */
export const checkNetwork = async (
  { stackName, network }: Plan,
  target: Target,
  endpoint?: string,
): Promise<readonly Finding[]> => {
  const isWanted = Object.values(network).some((ids) => ids.length > 0);
  if (!isWanted) return [];
  try {
    const own = await ownResources(stackName, target.region);
    const missing = scarce
      .map((one) => ({ one, needed: network[one.type].filter((id) => !own.has(id)).length }))
      .filter(({ needed }) => needed > 0);
    return await Promise.all(missing.map(({ one, needed }) => checkOne(one, needed, target, endpoint)));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return [
      {
        verdict: 'unknown',
        says: `Whether there is room for the network of egressAddresses is not known: these credentials may not read it (cloudformation:ListStackResources, ec2:DescribeVpcs, ec2:DescribeAddresses, servicequotas:GetServiceQuota).`,
      },
    ];
  }
};
