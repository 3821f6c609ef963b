import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { batchGet } from '../lambdas/adapters/aws/batch-get.ts';
import { partitions, prefixes } from '../lambdas/adapters/rows/key-names.ts';
import { deliveryPk, indexes, SHARDS, webhookKey } from '../lambdas/adapters/rows/table-keys.ts';
import { storedWebhookSchema } from '../lambdas/domain/webhooks/webhook.ts';
import { ago, type Command, wholeNumber } from './command.ts';
import type { Deployment } from './deployment.ts';

export interface FailingWebhook {
  readonly webhook_id: string;
  readonly failing_since: string;
  readonly account_id: string | null;
  readonly mode: string | null;
  /** The webhook's URL without the query, which may contain the receiver's secret. */
  readonly url: string | null;
  readonly enabled: boolean | null;
}

/**
 * Returns the webhook's owner (account and mode) from any delivery of the webhook, because the webhook's health row has
 * no owner; null if the webhook has no deliveries.
 */
const readOwner = async ({ dynamo, resources }: Deployment, webhookId: string): Promise<string | null> => {
  for (let shard = 0; shard < SHARDS; shard++) {
    const { Items: [row] = [] } = await dynamo.send(
      new QueryCommand({
        TableName: resources.deliveryTable,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: marshall({ ':pk': deliveryPk(webhookId, shard) }),
        ScanIndexForward: false,
        Limit: 1,
      }),
    );
    if (row) return String(unmarshall(row).owner);
  }
  return null;
};

const readWebhook = async (deployment: Deployment, webhookId: string) => {
  const owner = await readOwner(deployment, webhookId);
  if (owner === null) return { owner, webhook: null };
  const key = webhookKey(owner, webhookId);
  const { domainTable } = deployment.resources;
  const find = await batchGet(deployment.dynamo, [{ table: domainTable, key, isConsistent: true }]);
  return { owner, webhook: storedWebhookSchema.safeParse(find(domainTable, key)).data ?? null };
};

const readFailing = async (deployment: Deployment, limit: number): Promise<FailingWebhook[]> => {
  const { Items = [] } = await deployment.dynamo.send(
    new QueryCommand({
      TableName: deployment.resources.deliveryTable,
      IndexName: indexes.failing,
      KeyConditionExpression: 'failing_pk = :all',
      ExpressionAttributeValues: marshall({ ':all': partitions.failing }),
      Limit: limit,
    }),
  );
  const webhooks: FailingWebhook[] = [];
  for (const { pk, failing_since } of Items.map((item) => unmarshall(item))) {
    const webhook_id = String(pk).slice(prefixes.webhook.length);
    const { owner, webhook } = await readWebhook(deployment, webhook_id);
    const [account_id = null, mode = null] = owner?.split('#') ?? [];
    webhooks.push({
      webhook_id,
      failing_since: new Date(Number(failing_since)).toISOString(),
      account_id,
      mode,
      url: webhook?.url.split(/[?#]/)[0] ?? null,
      enabled: webhook?.enabled ?? null,
    });
  }
  return webhooks;
};

const lineOf = ({ webhook_id, failing_since, account_id, mode, url, enabled }: FailingWebhook, nowMs: number): string =>
  [
    webhook_id,
    `since ${ago(Date.parse(failing_since), nowMs)}`,
    `${account_id ?? 'account unknown'}${mode === 'test' ? ' (test)' : ''}`,
    url ?? 'deleted',
    ...(enabled === false ? ['disabled'] : []),
  ].join('  ');

export const failing: Command = {
  summary: 'list failing webhooks, the longest failing first',
  details: 'A webhook is failing from its first refusal after a success until its next success.',
  options: { limit: { type: 'string', value: 'N', description: 'the most webhooks to list, 1–1,000; 50 by default' } },
  prepare(values) {
    const limit = wholeNumber(values, 'limit', [1, 1000], 50);
    return async (deployment) => {
      const webhooks = await readFailing(deployment, limit);
      const nowMs = Date.now();
      const lines = [`Failing webhooks: ${webhooks.length}`, ...webhooks.map((webhook) => lineOf(webhook, nowMs))];
      return { data: { webhooks }, lines };
    };
  },
};
