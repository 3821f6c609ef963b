import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Plan } from './plan.ts';

/** `missing` stops the deployment; `scarce` will be felt; `unknown` is what these credentials may not look at. Each says what to do in one sentence. */
export interface Finding {
  readonly verdict: 'fine' | 'scarce' | 'missing' | 'unknown';
  readonly says: string;
}

export interface Target {
  readonly account: string;
  readonly region: string;
}

const options = { maxAttempts: 2 } as const;
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error));
export const isRefusal = (error: unknown): boolean =>
  /AccessDenied|NotAuthorized|UnauthorizedOperation/.test(nameOf(error));

/** Who would deploy, and where to. Reads nothing but the caller's own identity. */
export const findTarget = async (): Promise<Target | Finding> => {
  const client = new STSClient(options);
  let region: string;
  try {
    region = await client.config.region();
  } catch {
    return { verdict: 'missing', says: 'No region is chosen: set AWS_REGION, for example to eu-north-1.' };
  }
  try {
    const { Account = '' } = await client.send(new GetCallerIdentityCommand({}));
    return { account: Account, region };
  } catch (error) {
    const name = nameOf(error);
    if (name === 'CredentialsProviderError') {
      return {
        verdict: 'missing',
        says: 'There are no AWS credentials: set AWS_PROFILE (and sign in with aws sso login), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
      };
    }
    const isExpired = /Expired|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient/.test(name);
    return {
      verdict: 'missing',
      says: isExpired
        ? `AWS refuses these credentials (${name}): sign in again, or set others.`
        : `AWS cannot be asked who you are (${name}): check the network and the region ${region}.`,
    };
  }
};

/** Whether the account was prepared for the CDK, and lately enough. */
export const checkBootstrap = async ({ bootstrap }: Plan, { account, region }: Target): Promise<Finding> => {
  const doThis = `run npx cdk bootstrap aws://${account}/${region} once.`;
  try {
    const found = await new SSMClient({ ...options, region }).send(
      new GetParameterCommand({ Name: bootstrap.parameter }),
    );
    const version = Number(found.Parameter?.Value);
    return version >= bootstrap.version
      ? { verdict: 'fine', says: `bootstrapped, version ${version}` }
      : {
          verdict: 'missing',
          says: `The account ${account} was bootstrapped in ${region} with version ${version} and ${bootstrap.version} is needed: ${doThis}`,
        };
  } catch (error) {
    if (error instanceof ParameterNotFound) {
      return { verdict: 'missing', says: `The account ${account} is not bootstrapped in ${region}: ${doThis}` };
    }
    if (!isRefusal(error)) throw error;
    return {
      verdict: 'unknown',
      says: `Whether ${region} is bootstrapped is not known: these credentials may not read ${bootstrap.parameter} (ssm:GetParameter).`,
    };
  }
};

/** Keys and certificates serve one region only. */
export const checkRegions = ({ regional }: Plan, { region }: Target): readonly Finding[] =>
  regional
    .filter(({ arn }) => arn.split(':')[3] !== region)
    .map(({ setting, arn }) => ({
      verdict: 'missing',
      says: `${arn} (${setting}): one in ${region} is needed, where this would be deployed to.`,
    }));

const RAISE = 'have the quota "Concurrent executions" (L-B99A9384) raised in Service Quotas';

/** Whether as many functions may run at once as the chosen bounds need. */
export const checkConcurrency = async ({ concurrency }: Plan, { region }: Target): Promise<Finding> => {
  const needed = (when: 'start' | 'load') => {
    const parts = Object.entries(concurrency).map(([name, counts]) => [name, counts[when]] as const);
    const total = parts.reduce((sum, [, count]) => sum + count, 0);
    return { total, said: `${total} (${parts.map((part) => part.join(' ')).join(', ')})` };
  };
  const [start, load] = [needed('start'), needed('load')];
  try {
    const { AccountLimit } = await new LambdaClient({ ...options, region }).send(new GetAccountSettingsCommand({}));
    const allowed = AccountLimit?.UnreservedConcurrentExecutions ?? 0;
    const read = `Lambda runs ${allowed} functions at once in ${region} for whoever has reserved none`;
    if (allowed >= load.total) return { verdict: 'fine', says: `${read}, ${load.total} are needed under load` };
    return allowed >= start.total
      ? {
          verdict: 'scarce',
          says: `${read}: it starts, and under load, when it needs ${load.said}, deliveries wait and calls are refused: ${RAISE}.`,
        }
      : {
          verdict: 'missing',
          says: `${read} and this needs ${start.said} to start: ${RAISE}, or choose less, down to -c deliverConcurrency=2 -c slowConcurrency=2.`,
        };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return {
      verdict: 'unknown',
      says: `Whether Lambda may run the ${load.total} functions at once that this needs under load is not known: these credentials may not read it (lambda:GetAccountSettings).`,
    };
  }
};
