import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { executeStatements, insertStatement } from '../../lambdas/adapters/aws/statements.ts';
import { createFanOutStore } from '../../lambdas/adapters/fan-out/fan-out-store.ts';
import { putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { rowOf } from '../../lambdas/adapters/rows/row.ts';
import { attemptKey, deliveryKey, eventKey, healthKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { type Command, commandSchema } from '../../lambdas/domain/deliveries/command.ts';
import { newDelivery } from '../../lambdas/domain/deliveries/delivery.ts';
import { fanOut } from '../../lambdas/domain/fan-out/fan-out.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { createKeyring, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import { aCaller, type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { anAttempt } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent } from '../helpers/virtual-engine.ts';

const START_MS = Date.parse('2026-11-20T10:00:00.000Z');

describe('MT-10 DELETE /v1/webhooks/{id}', () => {
  const tables = useTables();
  const passmint = useApi(tables, 'passmint-api', '/v1');
  const native = useApi(tables, 'webhooks-api');
  const deliveriesApi = useApi(tables, 'deliveries-api');
  const eventsApi = useApi(tables, 'events-api');
  let me: Caller;
  beforeAll(() => putPublicKeys(tables.client, tables.deliveryTable, publicKeysOf(createKeyring())));
  beforeEach(async () => {
    me = await aCaller(tables);
  });

  const create = async (): Promise<string> => {
    const body = { url: 'https://93.184.215.14/hook', events: ['pass.installed'] };
    return (await passmint('POST', '/webhooks', me, { body })).json.id;
  };
  const eventsOf = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const atMs = START_MS + index;
      return anEvent({ id: drawId('evt', atMs), owner: me.owner, type: 'pass.installed' }, atMs);
    });
  /** Each event delivered at the third attempt: three rows, the last attempt inside the delivery's own. */
  const deliver = async (webhookId: string, events: ReturnType<typeof eventsOf>) => {
    const deliveries = events.map((event) => ({ ...newDelivery(event, webhookId), attempts_made: 3 }));
    await executeStatements(
      tables.client,
      [
        ...deliveries.map((row) => ({ ...row, ...deliveryKey(row.id), kind: 'delivery', last: rowOf(anAttempt()) })),
        ...deliveries.flatMap(({ id }) =>
          [1, 2].map((number) => ({ ...rowOf(anAttempt({ number })), ...attemptKey(id, number), kind: 'attempt' })),
        ),
        { ...healthKey(webhookId), kind: 'health' },
      ].map((row) => insertStatement(tables.deliveryTable, row)),
    );
    return deliveries;
  };
  const remove = (id: string) => passmint('DELETE', `/webhooks/${id}`, me);

  /** Everything of a webhook in the delivery table: its id ends every delivery's, and with it every attempt's. */
  const left = (id: string) => rowsHolding(tables, tables.deliveryTable, id.slice(4));
  const commands = async (): Promise<Command[]> =>
    (await rowsHolding(tables, tables.domainTable, me.owner))
      .filter(({ kind }) => kind === 'command')
      .map((row) => commandSchema.parse(row));
  const runCommand = (command: Command) => {
    const of = { domain: tables.domainTable, delivery: tables.deliveryTable };
    const store = createFanOutStore(tables.client, of, 30, () => false);
    const dependencies = { store, queue: { send: async () => {} }, clock: Date.now };
    return fanOut([{ kind: 'command', command }], dependencies, () => false);
  };
  /** As the stream would: every command once, those that come of them too. Answers how many there were. */
  const settle = async (): Promise<number> => {
    const done = new Set<string>();
    for (;;) {
      const next = (await commands()).find(({ id }) => !done.has(id));
      if (!next) return done.size;
      await runCommand(next);
      done.add(next.id);
    }
  };

  it('hides the history at once, wherever it could be seen', async () => {
    const id = await create();
    const other = await create();
    const [event] = eventsOf(1);
    if (!event) throw new Error('no event');
    await executeStatements(tables.client, [
      insertStatement(tables.domainTable, { ...event, ...eventKey(me.owner, event.id), kind: 'event' }),
    ]);
    const [delivery] = await deliver(id, [event]);
    const [kept] = await deliver(other, [event]);

    expect((await remove(id)).status).toBe(204);

    expect((await passmint('GET', `/webhooks/${id}/deliveries`, me)).status).toBe(404);
    expect((await deliveriesApi('GET', `/webhooks/${id}/deliveries`, me)).status).toBe(404);
    expect((await deliveriesApi('GET', `/deliveries/${delivery?.id}`, me)).status).toBe(404);
    const { json } = await eventsApi('GET', `/events/${event.id}`, me);
    expect(json.deliveries).toMatchObject([{ id: kept?.id }]);
    expect((await remove(id)).status).toBe(404);
  });

  it('takes thousands of rows away, some at each step, and nobody else’s', async () => {
    const id = await create();
    const other = await create();
    await deliver(id, eventsOf(900));
    await deliver(other, eventsOf(2));
    const before = await left(other);
    await remove(id);

    const steps = await settle();

    expect(steps).toBeGreaterThan(2);
    expect(await left(id)).toEqual([]);
    expect(await left(other)).toEqual(before);
    expect(before).toHaveLength(7);
  });

  it('goes on where it was stopped, and a step that comes twice changes nothing', async () => {
    const id = await create();
    await deliver(id, eventsOf(500));
    await remove(id);
    const [first] = await commands();
    if (!first) throw new Error('no command');
    const rows = (await left(id)).length;

    await runCommand(first);
    const after = (await left(id)).length;
    await runCommand(first);

    expect(first).toMatchObject({ type: 'erase-history', step: 1 });
    expect(after).toBeGreaterThan(0);
    expect(after).toBeLessThan(rows);
    await settle();
    expect(await left(id)).toEqual([]);
  });

  it('leaves the history of a webhook that the native API deletes', async () => {
    const id = await create();
    const [delivery] = await deliver(id, eventsOf(1));

    await native('DELETE', `/webhooks/${id}`, me);

    expect(await commands()).toEqual([]);
    expect((await deliveriesApi('GET', `/deliveries/${delivery?.id}`, me)).status).toBe(200);
  });
});
