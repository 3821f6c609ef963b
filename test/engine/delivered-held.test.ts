import { afterEach, describe, expect, it } from 'vitest';
import type { Command } from '../../lambdas/domain/deliveries/command.ts';
import { rowsHolding } from '../helpers/api-caller.ts';
import { forgetAccounts, startRolled } from '../helpers/roll-up.ts';
import { useTables } from '../helpers/tables.ts';
import type { Answering } from '../helpers/virtual-engine.ts';

const onlyFirstAccepted: Answering = (_, number) => ({ status: number === 1 ? 200 : 500 });
const DAY_HOURS = 24;

describe('a delivered delivery whose redelivery is held', () => {
  const tables = useTables();
  afterEach(() => forgetAccounts(tables));

  const startHeld = async () => {
    const { engine, webhook, publish } = await startRolled(tables, onlyFirstAccepted);
    const [id = ''] = await publish();
    await engine.passHours(0.1);
    await engine.putWebhook({ ...webhook, enabled: false, disabled_reason: 'manual' });
    const { event_id, event_type } = await engine.delivery(id);
    const command: Command = {
      id: `manual#${id}`,
      owner: engine.owner,
      type: 'redeliver',
      trigger: 'manual',
      event_id,
      event_type,
      delivery_ids: [id],
    };
    await engine.fanOut([{ kind: 'command', command }]);
    await engine.passHours(0.2);
    return { engine, webhook, id, event_id };
  };
  const rowOf = async (table: string, id: string) => (await rowsHolding(tables, table, '')).find(({ sk }) => sk === id);

  it('is released by the roll-up after its webhook was enabled without a command, and gets one attempt', async () => {
    const { engine, webhook, id } = await startHeld();
    await engine.passHours(1.3);
    await engine.tick();
    await engine.putWebhook(webhook);

    await engine.passHours(3.5);
    const { resumed } = await engine.tick();
    await engine.passHours(4);

    expect(resumed).toBe(1);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', redelivery: null, attempts_made: 2 });
  });

  it('has the retention of its event extended, does not expire in 80 days, and is still sent after its webhook is enabled', async () => {
    const { engine, webhook, id, event_id } = await startHeld();
    for (let day = 7; day <= 77; day += 7) {
      await engine.passHours(day * DAY_HOURS);
      await engine.extendRetention();
      await engine.expire();
    }
    await engine.passHours(80 * DAY_HOURS);
    await engine.expire();
    expect(await rowOf(tables.domainTable, event_id)).toBeDefined();

    await engine.putWebhook(webhook);
    await engine.extendRetention();
    const { tickets } = await engine.store.releasePage(webhook.id, undefined, engine.now());
    await engine.queue.send(tickets, engine.now());
    await engine.passHours(81 * DAY_HOURS);

    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', redelivery: null, attempts_made: 2 });
    expect(await rowOf(tables.deliveryTable, id)).toHaveProperty('ttl');
  });

  it('stays delivered when it was held for more than 90 days, and then expires', async () => {
    const { engine, id } = await startHeld();

    await engine.passHours(91 * DAY_HOURS);
    const { expiredHolds } = await engine.extendRetention();

    expect(expiredHolds).toMatchObject([{ deliveries: 1 }]);
    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', redelivery: null, attempts_made: 1 });
    expect(await rowOf(tables.deliveryTable, id)).toHaveProperty('ttl');
  });
});
