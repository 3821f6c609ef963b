import { describe, expect, it } from 'vitest';
import { createFanOutStore } from '../../lambdas/adapters/fan-out/fan-out-store.ts';
import type { Command } from '../../lambdas/domain/deliveries/command.ts';
import { runCommand } from '../../lambdas/domain/fan-out/run-command.ts';
import { putDelivery, putWebhook } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, anOwner, aWebhook } from '../helpers/virtual-engine.ts';

describe('the messages of a command, on real tables', () => {
  const tables = useTables();

  /** Runs a command on a webhook with one delivery in a status. Returns whether each send was in bulk. */
  const sendsOf = async (status: 'dead' | 'held', commandOn: (webhookId: string, delivery: string) => object) => {
    const owner = anOwner();
    const webhook = await putWebhook(tables, aWebhook({ owner }));
    const event = anEvent({ owner });
    const identity = { owner, webhookId: webhook.id, eventId: event.id, createdAtMs: Date.parse(event.created_at) };
    const { id } = await putDelivery(tables, identity, { status, ticket: 4, attempts_made: 1 });
    const names = { domain: tables.domainTable, delivery: tables.deliveryTable };
    const store = createFanOutStore(tables.client, names, 30, () => false);
    const sends: (readonly [number, boolean])[] = [];
    const queue = {
      send: async (tickets: readonly unknown[], _nowMs: number, isBulk = false) =>
        void sends.push([tickets.length, isBulk]),
    };
    const command = { owner, ...commandOn(webhook.id, id) } as Command;

    await runCommand(command, { store, queue, clock: Date.now }, () => false);

    return sends;
  };
  const window = { since: 0, until: Date.now() + 60_000, status: ['dead'], step: 1, list: 0, after: null, done: 0 };

  it.each([
    [
      'a recovery',
      'dead',
      (webhook_id: string) => ({ id: 'recover#job_1#1', type: 'recover', webhook_id, job_id: 'job_1', ...window }),
      true,
    ],
    ['a release', 'held', (webhook_id: string) => ({ id: 'release#1', type: 'release', webhook_id }), true],
    [
      'a replay',
      'dead',
      (_: string, delivery: string) => ({
        ...{ id: 'replay#1', type: 'redeliver', trigger: 'replay', event_id: delivery, event_type: 'task.accepted' },
        delivery_ids: [delivery],
      }),
      false,
    ],
  ] as const)('of $0 are sent with isBulk $3', async (_, status, commandOn, isBulk) => {
    const sends = await sendsOf(status, commandOn);

    expect(sends).toEqual([[1, isBulk]]);
  });
});
