import { GetItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { partitions } from '../lambdas/adapters/rows/key-names.ts';
import { indexes, publicKeysKey } from '../lambdas/adapters/rows/table-keys.ts';
import { nextSwitchMs, publicKeysSchema } from '../lambdas/domain/keyring/keyring.ts';
import { type Command, utc } from './command.ts';
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

/** Returns the number of published keys, and the time from which new keys sign (`null` if no new keys wait). */
const readKeys = async ({ dynamo, resources }: Deployment, nowMs: number) => {
  const { Item } = await dynamo.send(
    new GetItemCommand({ TableName: resources.credentialsTable, Key: marshall(publicKeysKey) }),
  );
  const { keys } = publicKeysSchema.parse(Item && unmarshall(Item)).jwks;
  const switchMs = nextSwitchMs(keys, nowMs);
  return {
    published: keys.length,
    next_sign_from: Number.isFinite(switchMs) ? new Date(switchMs).toISOString() : null,
  };
};

export const status: Command = {
  summary: 'show whether deliveries run, what waits, and what needs an operator',
  details: 'Shows the numbers; the other commands show the details.',
  options: {},
  prepare: () => async (deployment) => {
    const { sqs, resources } = deployment;
    const nowMs = Date.now();
    const [lanes, backlog, deadLetters, failures, failing, keys] = await Promise.all([
      laneStates(deployment),
      readBacklog(deployment, nowMs),
      depthOf(sqs, resources.deadLetters),
      depthOf(sqs, resources.failures),
      countFailing(deployment),
      readKeys(deployment, nowMs),
    ]);
    const data = {
      deployment: deployment.name,
      lanes,
      ...backlog,
      dead_letters: deadLetters.waiting + deadLetters.in_flight,
      failures: failures.waiting + failures.in_flight,
      failing,
      keys,
    };
    const lines = [
      `Deployment: ${data.deployment}`,
      `Deliveries: ${lanes.deliveries}; slow lane: ${lanes.slow}`,
      ...backlogLines(backlog, nowMs),
      `Dead letters: ${data.dead_letters}; failures: ${data.failures}; failing webhooks: ${failing}`,
      `Published signing keys: ${keys.published}${
        keys.next_sign_from ? `; the newest keys sign from ${utc(Date.parse(keys.next_sign_from))}` : ''
      }`,
    ];
    return { data, lines };
  },
};
