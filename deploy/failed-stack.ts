import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteStackCommand, UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { cloudFormation, type DeployedStack, listResources, readStack } from './deployed-stack.ts';
import { type Finding, isAccessDenied, type Target } from './preflight.ts';

/** The argument of `npm run deploy` that removes the stack of a failed first deployment. */
export const REMOVE_FAILED_STACK = '--remove-failed-stack';

const POLL_MS = 2_000;
/** The maximum wait for the deletion. It takes seconds, because the rollback deleted the stack's resources already. */
const DELETION_LIMIT_MS = 600_000;

/** The command that deletes a resource of a type that CloudFormation may leave behind, given its physical id. */
const deletions: Readonly<Record<string, (id: string) => string>> = {
  'AWS::DynamoDB::Table': (id) =>
    `aws dynamodb update-table --no-deletion-protection-enabled --table-name ${id}, then aws dynamodb delete-table --table-name ${id}`,
  'AWS::SecretsManager::Secret': (id) =>
    `aws secretsmanager delete-secret --force-delete-without-recovery --secret-id ${id}`,
  'AWS::Logs::LogGroup': (id) => `aws logs delete-log-group --log-group-name ${id}`,
  // The physical id of an address has the IP address first.
  'AWS::EC2::EIP': (id) =>
    `aws ec2 describe-addresses --public-ips ${id.split('|')[0]} shows its AllocationId, then aws ec2 release-address --allocation-id`,
  'AWS::KMS::Key': (id) => `aws kms schedule-key-deletion --key-id ${id}`,
};

const describeOrphan = (type: string, id: string, region: string): string =>
  `${type} ${id} stays in ${region}, holds no data of an account, and no later deployment uses it: ${deletions[type]?.(id) ?? 'delete it in the console'}`;

/**
 * Returns one line for each resource that the failed deployment left in the account, with the command that deletes it.
 * The rollback skipped these resources because their deletion policy retains them.
 */
export const describeOrphans = async (
  { id }: Pick<DeployedStack, 'id'>,
  { region }: Target,
): Promise<readonly string[]> => {
  try {
    const resources = await listResources(id, region);
    return resources
      .filter(({ ResourceStatus }) => ResourceStatus === 'DELETE_SKIPPED')
      .map(({ ResourceType = '', PhysicalResourceId = '' }) =>
        describeOrphan(ResourceType, PhysicalResourceId, region),
      );
  } catch (error) {
    if (!isAccessDenied(error)) throw error;
    return [
      'It is unknown what the failed deployment left: these credentials may not call cloudformation:ListStackResources.',
    ];
  }
};

/**
 * Returns whether neither CloudFormation nor the CDK can continue with the stack. The CDK itself deletes a failed stack
 * that has no termination protection.
 */
const isDeadEnd = ({ status, isProtected }: DeployedStack): boolean => status === 'ROLLBACK_COMPLETE' && isProtected;

/**
 * Checks whether the stack is what a failed first deployment left: CloudFormation can neither update nor, because of
 * its termination protection, delete it. `isRemovalWanted` is whether the operator asked to delete such a stack.
 */
export const checkFailedStack = (
  stackName: string,
  stack: DeployedStack | null | 'unknown',
  isRemovalWanted: boolean,
): readonly Finding[] => {
  if (stack === null || stack === 'unknown') return [];
  if (stack.status === 'ROLLBACK_FAILED') {
    return [
      {
        verdict: 'missing',
        message: `The first deployment of ${stackName} failed, and CloudFormation could not undo it (ROLLBACK_FAILED): see the stack's events, delete the stack in the console, and deploy again.`,
      },
    ];
  }
  if (!isDeadEnd(stack)) return [];
  return isRemovalWanted
    ? [{ verdict: 'fine', message: `The first deployment of ${stackName} failed; its stack will be deleted` }]
    : [
        {
          verdict: 'missing',
          message: `The first deployment of ${stackName} failed, and its stack can only be deleted (ROLLBACK_COMPLETE): remove the cause, which the stack's events name, and run this command again with ${REMOVE_FAILED_STACK}.`,
        },
      ];
};

const waitForDeletion = async ({ id }: DeployedStack, region: string): Promise<void> => {
  for (const end = Date.now() + DELETION_LIMIT_MS; ; await sleep(POLL_MS)) {
    const stack = await readStack(id, region);
    if (stack === null || (stack !== 'unknown' && stack.status === 'DELETE_COMPLETE')) return;
    const status = stack === 'unknown' ? 'unknown' : stack.status;
    if (status !== 'DELETE_IN_PROGRESS' && status !== 'ROLLBACK_COMPLETE') {
      throw new Error(`The failed stack was not deleted (${status}): see its events in CloudFormation.`);
    }
    if (Date.now() > end) throw new Error('The failed stack is still being deleted after ten minutes: deploy later.');
  }
};

/**
 * Turns off the termination protection of a stack in ROLLBACK_COMPLETE, deletes the stack, and waits for the end. Does
 * nothing to a stack in any other state. Returns whether it deleted the stack.
 */
export const removeFailedStack = async (
  stack: DeployedStack | null | 'unknown',
  { region }: Target,
): Promise<boolean> => {
  if (stack === null || stack === 'unknown' || !isDeadEnd(stack)) return false;
  // Reads the state again by ARN, because minutes may have passed since the check.
  const latest = await readStack(stack.id, region);
  if (latest === null || latest === 'unknown' || latest.status !== 'ROLLBACK_COMPLETE') return false;
  const client = cloudFormation(region);
  await client.send(
    new UpdateTerminationProtectionCommand({ StackName: stack.id, EnableTerminationProtection: false }),
  );
  await client.send(new DeleteStackCommand({ StackName: stack.id }));
  await waitForDeletion(stack, region);
  return true;
};
