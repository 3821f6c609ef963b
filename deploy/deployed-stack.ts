import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateListStackResources,
  type StackResourceSummary,
} from '@aws-sdk/client-cloudformation';
import { isAccessDenied } from './preflight.ts';

/** What CloudFormation says about the stack that the account has already. */
export interface DeployedStack {
  /** The ARN of the stack. It names this stack only, also after a new stack gets the same name. */
  readonly id: string;
  readonly status: string;
  /** Whether the stack has termination protection, so that CloudFormation refuses to delete it. */
  readonly isProtected: boolean;
  /** The reserved concurrency that the stack was deployed with; `null` for a stack that reports none. */
  readonly engineConcurrency: number | null;
}

export const cloudFormation = (region: string): CloudFormationClient =>
  new CloudFormationClient({ maxAttempts: 2, region });

/** Returns whether CloudFormation refused a call because the stack does not exist. */
export const isMissing = (error: unknown): boolean => error instanceof Error && /does not exist/.test(error.message);

/**
 * Reads the state of a stack, given its name or ARN. Returns `null` if the stack does not exist, and `unknown` if the
 * credentials may not read it.
 */
export const readStack = async (stack: string, region: string): Promise<DeployedStack | null | 'unknown'> => {
  try {
    const { Stacks = [] } = await cloudFormation(region).send(new DescribeStacksCommand({ StackName: stack }));
    const [found] = Stacks;
    if (!found) return null;
    const reserved = found.Outputs?.find(({ OutputKey }) => OutputKey === 'EngineConcurrency')?.OutputValue;
    return {
      id: found.StackId ?? stack,
      status: found.StackStatus ?? '',
      isProtected: found.EnableTerminationProtection ?? false,
      engineConcurrency: reserved === undefined ? null : Number(reserved),
    };
  } catch (error) {
    if (isMissing(error)) return null;
    if (isAccessDenied(error)) return 'unknown';
    throw error;
  }
};

/** Lists all resources of a stack, given its name or ARN; returns an empty list if the stack does not exist. */
export const listResources = async (stack: string, region: string): Promise<readonly StackResourceSummary[]> => {
  const resources: StackResourceSummary[] = [];
  try {
    const pages = paginateListStackResources({ client: cloudFormation(region) }, { StackName: stack });
    for await (const { StackResourceSummaries = [] } of pages) resources.push(...StackResourceSummaries);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return resources;
};
