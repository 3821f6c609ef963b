import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { taskKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { env } from '../../lambdas/runtime/env.ts';
import type { LocalStack } from '../../local/stack.ts';
import { throttled } from '../../local/wiring/interceptor.ts';
import { run as runCommand } from '../../ops/run.ts';
import type { Faults } from '../helpers/faults.ts';
import type { Account, Random, Webhook } from './scene.ts';

/** Number of each disturbance that a run has made. */
export type Tally = Map<string, number>;

const count = (tally: Tally, name: string, by = 1): void => {
  tally.set(name, (tally.get(name) ?? 0) + by);
};

/** Share of the calls of an engine function that kill the function before or after the call. */
const KILLED_SHARE = 0.02;

/** Kills engine functions at random, before or after their calls. The returned function ends the kills. */
export const killFunctions = (faults: Faults, random: Random, tally: Tally): (() => void) => {
  const fault = faults.inject({ functionName: /^(deliver|fan-out|due|roll-up)$/ }, async (call, forward) => {
    const dice = random();
    if (dice > KILLED_SHARE) return forward();
    if (dice < KILLED_SHARE / 2) await forward();
    count(tally, `${call.functionName} killed`);
    await call.kill();
    throw new Error('the caller was killed');
  });
  return fault.end;
};

/** Lets the tables refuse every write for a moment. */
export const throttleTables = async (faults: Faults, forMs: number, tally: Tally): Promise<void> => {
  const fault = faults.inject(
    {
      functionName: /./,
      when: ({ service, operation }) => service === 'dynamodb' && /Put|Update|Execute|Write/.test(operation),
    },
    throttled,
  );
  await sleep(forMs);
  fault.end();
  count(tally, 'writes throttled', fault.hits);
};

/** Writes a row that no release can parse, so that its change can never be carried out. */
export const poison = async (stack: LocalStack, tally: Tally): Promise<void> => {
  const client = new DynamoDBClient({
    endpoint: stack.dynamoEndpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'chaos', secretAccessKey: 'chaos' },
  });
  const id = drawId('tsk', Date.now());
  const Item = marshall({ ...taskKey(id), kind: 'task', id, status: 'nowhere' });
  await client.send(new PutItemCommand({ TableName: stack.tableName(env.domainTable), Item }));
  client.destroy();
  count(tally, 'poisoned records');
};

/** Empties all queues: every message that waits is lost. */
export const emptyQueues = (stack: LocalStack, tally: Tally): void => {
  stack.purge('deliveries');
  stack.purge('slow');
  count(tally, 'queues emptied');
};

/** Rotates the secret of a webhook, the API key that the account uses, and the keyring. */
export const rotate = async (stack: LocalStack, account: Account, webhook: Webhook, tally: Tally): Promise<void> => {
  await account.call('POST', `/webhooks/${webhook.id}/rotate-secret`, {});
  const { data } = await account.call('GET', '/keys');
  const [{ id } = { id: '' }] = data as { id: string }[];
  const { key } = await account.call('POST', `/keys/${id}/rotate`, { overlap_seconds: 60 });
  if (key) account.key = String(key);
  await runCommand(['rotate-keyring', '--local', '--json'], stack.dataFolder);
  count(tally, 'rotations', 3);
};

/** Floods the API with calls without a valid key. The returned function ends the flood. */
export const flood = (stack: LocalStack, tally: Tally): (() => void) => {
  const timer = setInterval(() => {
    for (let n = 0; n < 10; n++) {
      const authorization = `Bearer pp_live_${String(Math.random()).slice(2).padEnd(32, '0').slice(0, 32)}`;
      fetch(`${stack.url}/api/public/v1/tasks`, { headers: { authorization } })
        .then((response) => response.arrayBuffer())
        .catch(() => undefined);
      count(tally, 'calls without a key');
    }
  }, 100);
  return () => clearInterval(timer);
};
