import { describe, expect, it } from 'vitest';
import { createWebhooksTable } from '../../../lambdas/adapters/webhooks/webhooks-table.ts';
import { auditEntry } from '../../../lambdas/domain/foundation/audit.ts';
import { drawId } from '../../../lambdas/domain/foundation/id.ts';
import { MOST_WEBHOOKS } from '../../../lambdas/domain/webhooks/create-webhook.ts';
import { routesFaults, webhookRoutes } from '../../../lambdas/domain/webhooks/event-routing.ts';
import { putRouting } from '../../helpers/routing-rows.ts';
import { useTables } from '../../helpers/tables.ts';
import { anOwner, aWebhook } from '../../helpers/virtual-engine.ts';

const by = { accountId: 'acc_1', keyId: 'key_1', ip: '127.0.0.1' };
const everything = { events: ['*'] };
const types = Array.from({ length: 40 }, (_, n) => `type.${n}`);

describe('the webhooks table', () => {
  const tables = useTables();

  /** A webhook that subscribes to forty types of one resource, in an account with the most such webhooks that it may have. */
  const inFullAccount = async (resourceBytes: number) => {
    const owner = anOwner();
    const store = createWebhooksTable(
      tables.client,
      { domain: tables.domainTable, delivery: tables.deliveryTable },
      30,
    );
    const webhook = aWebhook({ owner, events: types, resource: 'a'.repeat(resourceBytes) });
    const entryOf = (action: 'webhook.created' | 'webhook.changed') => auditEntry(by, action, webhook.id, Date.now());
    await store.create(webhook, webhookRoutes(webhook, everything), null, entryOf('webhook.created'), Date.now());
    const others = Array.from({ length: MOST_WEBHOOKS - 1 }, () => `${drawId('whk', 0)}|${'b'.repeat(resourceBytes)}`);
    for (const type of types) await putRouting(tables, owner, type, others);
    const after = { ...webhook, resource: 'c'.repeat(resourceBytes), version: 2 };
    const move = () =>
      store.replace({
        before: webhook,
        after,
        routesBefore: webhookRoutes(webhook, everything),
        routesAfter: webhookRoutes(after, everything),
        command: null,
        entry: entryOf('webhook.changed'),
        nowMs: Date.now(),
      });
    return { routes: webhookRoutes(after, everything), move };
  };

  it('`replace` changes a webhook with 40 event types although all webhooks of a full account have resources of 64 bytes', async () => {
    const { routes, move } = await inFullAccount(64);

    expect(routesFaults(routes)).toEqual([]);
    expect(await move()).toBe(true);
  });

  // The API refuses such routes, because DynamoDB takes at most 4 MB in one transaction.
  it('`replace` throws (above 4MB) if all webhooks of a full account have resources of 100 bytes, and `routesFaults` has a fault for them', async () => {
    const { routes, move } = await inFullAccount(100);

    expect(routesFaults(routes)).toHaveLength(1);
    await expect(move()).rejects.toThrow('4MB');
  });
});
