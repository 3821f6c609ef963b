import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Plan } from './plan.ts';

/** The result of one check of the AWS account before a deployment. */
export interface Finding {
  /**
   * The result of the check. `fine` = nothing to do. `missing` stops the deployment. `scarce` lets the deployment
   * continue, but load will exceed the quota. `unknown` = the credentials may not read the setting that is checked.
   */
  readonly verdict: 'fine' | 'scarce' | 'missing' | 'unknown';
  /** One sentence for the operator: the result of the check, and what to do unless the result is `fine`. */
  readonly message: string;
}

export interface Target {
  readonly account: string;
  readonly region: string;
}

const options = { maxAttempts: 2 } as const;
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error));
/** Returns whether AWS refused a call because of missing permissions. */
export const isAccessDenied = (error: unknown): boolean =>
  /AccessDenied|NotAuthorized|UnauthorizedOperation/.test(nameOf(error));

/**
 * Returns the account and region to deploy to, or a finding if the region is not chosen or the credentials do not work.
 * Reads only the caller's identity.
 */
export const findTarget = async (): Promise<Target | Finding> => {
  const client = new STSClient(options);
  let region: string;
  try {
    region = await client.config.region();
  } catch {
    return { verdict: 'missing', message: 'No region is chosen: set AWS_REGION, for example to eu-north-1.' };
  }
  try {
    const { Account = '' } = await client.send(new GetCallerIdentityCommand({}));
    return { account: Account, region };
  } catch (error) {
    const name = nameOf(error);
    if (name === 'CredentialsProviderError') {
      return {
        verdict: 'missing',
        message:
          'There are no AWS credentials: set AWS_PROFILE (and sign in with aws sso login), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
      };
    }
    const isExpired = /Expired|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient/.test(name);
    return {
      verdict: 'missing',
      message: isExpired
        ? `AWS refuses these credentials (${name}): sign in again, or set other credentials.`
        : `AWS does not tell the identity of these credentials (${name}): check the network and the region ${region}.`,
    };
  }
};

/**
 * Checks that the account is bootstrapped for the CDK in the region, with at least the version that the stack needs.
 */
export const checkBootstrap = async ({ bootstrap }: Plan, { account, region }: Target): Promise<Finding> => {
  const advice = `run npx cdk bootstrap aws://${account}/${region} once.`;
  try {
    const { Parameter } = await new SSMClient({ ...options, region }).send(
      new GetParameterCommand({ Name: bootstrap.parameter }),
    );
    const version = Number(Parameter?.Value);
    return version >= bootstrap.version
      ? { verdict: 'fine', message: `The account is bootstrapped in ${region}, version ${version}` }
      : {
          verdict: 'missing',
          message: `The account ${account} was bootstrapped in ${region} with version ${version}, but version ${bootstrap.version} is needed: ${advice}`,
        };
  } catch (error) {
    if (error instanceof ParameterNotFound) {
      return { verdict: 'missing', message: `The account ${account} is not bootstrapped in ${region}: ${advice}` };
    }
    if (!isAccessDenied(error)) throw error;
    return {
      verdict: 'unknown',
      message: `It is unknown whether ${region} is bootstrapped: these credentials may not read ${bootstrap.parameter} (ssm:GetParameter).`,
    };
  }
};

/**
 * Checks that the stack's keys and certificates are in the region of the stack, because AWS uses them only in that
 * region.
 */
export const checkRegions = ({ regional }: Plan, { region }: Target): readonly Finding[] =>
  regional
    .filter(({ arn }) => arn.split(':')[3] !== region)
    .map(({ setting, arn }) => ({
      verdict: 'missing',
      message: `${arn} (${setting}) is in another region: the stack is deployed to ${region} and needs one there.`,
    }));

/** What the operator can do about a quota of concurrent executions that is too low. */
export const QUOTA_ADVICE = 'request an increase of the quota "Concurrent executions" (L-B99A9384) in Service Quotas';

/** The concurrent executions that Lambda allows in the account and region. */
export interface LambdaLimits {
  readonly total: number;
  /** The part of `total` that no function has reserved. */
  readonly unreserved: number;
}

/** Reads how many concurrent executions Lambda allows; `unknown` if the credentials may not read it. */
export const readLambdaLimits = async ({ region }: Target): Promise<LambdaLimits | 'unknown'> => {
  try {
    const { AccountLimit } = await new LambdaClient({ ...options, region }).send(new GetAccountSettingsCommand({}));
    return {
      total: AccountLimit?.ConcurrentExecutions ?? 0,
      unreserved: AccountLimit?.UnreservedConcurrentExecutions ?? 0,
    };
  } catch (error) {
    if (!isAccessDenied(error)) throw error;
    return 'unknown';
  }
};

/**
 * Checks that the account's quota of concurrent Lambda executions is enough for the stack's start and for full load.
 * `reserved` executions are reserved for the deployed stack, which may continue to use them.
 */
export const checkConcurrency = (
  { concurrency }: Plan,
  { region }: Target,
  limits: LambdaLimits | 'unknown',
  reserved: number,
): Finding => {
  const needed = (when: 'start' | 'load') => {
    const parts = Object.entries(concurrency).map(([name, counts]) => [name, counts[when]] as const);
    const total = parts.reduce((sum, [, count]) => sum + count, 0);
    return { total, text: `${total} (${parts.map((part) => part.join(' ')).join(', ')})` };
  };
  const [start, load] = [needed('start'), needed('load')];
  if (limits === 'unknown') {
    return {
      verdict: 'unknown',
      message: `It is unknown whether Lambda allows the ${load.total} concurrent executions that the stack needs under load: these credentials may not read it (lambda:GetAccountSettings).`,
    };
  }
  const allowed = limits.unreserved + reserved;
  const ofStack = reserved > 0 ? ` and ${reserved} reserved for this stack` : '';
  const quota = `Lambda allows ${limits.unreserved} unreserved concurrent executions${ofStack} in ${region}`;
  if (allowed >= load.total)
    return { verdict: 'fine', message: `${quota}, and the stack needs ${load.total} under load` };
  return allowed >= start.total
    ? {
        verdict: 'scarce',
        message: `${quota}: that is enough to start, but under load the stack needs ${load.text}; deliveries will wait and API calls will fail: ${QUOTA_ADVICE}.`,
      }
    : {
        verdict: 'missing',
        message: `${quota}, but the stack needs ${start.text} to start: ${QUOTA_ADVICE}, or choose lower maximums, down to -c deliverConcurrency=2 -c slowConcurrency=2.`,
      };
};
