import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { partitions } from '../lambdas/adapters/rows/key-names.ts';
import { indexes } from '../lambdas/adapters/rows/table-keys.ts';
import type { Command } from './command.ts';
import type { Deployment } from './deployment.ts';
import { laneStates } from './lanes.ts';
import { backlogLines, readBacklog } from './owed.ts';
import { depthOf } from './queue-messages.ts';

const countFailing = async ({ dynamo, resources }: Deployment): Promise<number> => {
  let count = 0;
  const query = {
    TableName: resources.deliveryTable,
    IndexName: indexes.failing,
    KeyConditionExpression: 'failing_pk = :all',
    ExpressionAttributeValues: marshall({ ':all': partitions.failing }),
    Select: 'COUNT' as const,
  };
  for await (const { Count = 0 } of paginateQuery({ client: dynamo }, query)) count += Count;
  return count;
};

export const status: Command = {
  summary: 'show whether deliveries run, what waits, and what needs an operator',
  details: 'Shows the numbers; the other commands show the details.',
  options: {},
  prepare: () => async (deployment) => {
    const { sqs, resources } = deployment;
    const nowMs = Date.now();
    const [lanes, backlog, deadLetters, failures, failing] = await Promise.all([
      laneStates(deployment),
      readBacklog(deployment, nowMs),
      depthOf(sqs, resources.deadLetters),
      depthOf(sqs, resources.failures),
      countFailing(deployment),
    ]);
    const data = {
      deployment: deployment.name,
      lanes,
      ...backlog,
      dead_letters: deadLetters.waiting + deadLetters.in_flight,
      failures: failures.waiting + failures.in_flight,
      failing,
    };
    const lines = [
      `Deployment: ${data.deployment}`,
      `Deliveries: ${lanes.deliveries}; slow lane: ${lanes.slow}`,
      ...backlogLines(backlog, nowMs),
      `Dead letters: ${data.dead_letters}; failures: ${data.failures}; failing webhooks: ${failing}`,
    ];
    return { data, lines };
  },
};
