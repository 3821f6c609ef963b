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
  let caller: Caller;
  beforeAll(() => putPublicKeys(tables.client, tables.credentialsTable, publicKeysOf(createKeyring())));
  beforeEach(async () => {
    caller = await aCaller(tables);
  });

  const create = async (): Promise<string> => {
    const body = { url: 'https://93.184.215.14/hook', events: ['pass.installed'] };
    return (await passmint('POST', '/webhooks', caller, { body })).json.id;
  };
  const eventsOf = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const atMs = START_MS + index;
      return anEvent({ id: drawId('evt', atMs), owner: caller.owner, type: 'pass.installed' }, atMs);
    });
  /** Stores a delivery with three attempts for each event: two attempt rows, and the last attempt in the delivery's row. */
  const addDeliveries = async (webhookId: string, events: ReturnType<typeof eventsOf>) => {
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
  const remove = (id: string) => passmint('DELETE', `/webhooks/${id}`, caller);

  /** All rows of a webhook in the delivery table. The keys of its deliveries and attempts contain the end of its id. */
  const historyRows = (id: string) => rowsHolding(tables, tables.deliveryTable, id.slice(4));
  const commands = async (): Promise<Command[]> =>
    (await rowsHolding(tables, tables.domainTable, caller.owner))
      .filter(({ kind }) => kind === 'command')
      .map((row) => commandSchema.parse(row));
  const runCommand = (command: Command) => {
    const names = { domain: tables.domainTable, delivery: tables.deliveryTable };
    const store = createFanOutStore(tables.client, names, 30, () => false);
    const dependencies = { store, queue: { send: async () => {} }, clock: Date.now };
    return fanOut([{ kind: 'command', command }], dependencies, () => false);
  };
  /** Runs every command once, as the stream does, including commands that other commands submit. Returns their number. */
  const runAllCommands = async (): Promise<number> => {
    const finishedIds = new Set<string>();
    for (;;) {
      const next = (await commands()).find(({ id }) => !finishedIds.has(id));
      if (!next) return finishedIds.size;
      await runCommand(next);
      finishedIds.add(next.id);
    }
  };

  it('answers 204; then both delivery lists and GET /deliveries/{id} answer 404, and GET /events/{id} omits the delivery', async () => {
    const id = await create();
    const other = await create();
    const [event] = eventsOf(1);
    if (!event) throw new Error('no event');
    await executeStatements(tables.client, [
      insertStatement(tables.domainTable, { ...event, ...eventKey(caller.owner, event.id), kind: 'event' }),
    ]);
    const [delivery] = await addDeliveries(id, [event]);
    const [otherDelivery] = await addDeliveries(other, [event]);

    expect((await remove(id)).status).toBe(204);

    expect((await passmint('GET', `/webhooks/${id}/deliveries`, caller)).status).toBe(404);
    expect((await deliveriesApi('GET', `/webhooks/${id}/deliveries`, caller)).status).toBe(404);
    expect((await deliveriesApi('GET', `/deliveries/${delivery?.id}`, caller)).status).toBe(404);
    const { json } = await eventsApi('GET', `/events/${event.id}`, caller);
    expect(json.deliveries).toMatchObject([{ id: otherDelivery?.id }]);
    expect((await remove(id)).status).toBe(404);
  });

  it('submits commands that erase all rows of 900 deliveries in more than two steps, and no row of another webhook', async () => {
    const id = await create();
    const other = await create();
    await addDeliveries(id, eventsOf(900));
    await addDeliveries(other, eventsOf(2));
    const before = await historyRows(other);
    await remove(id);

    const steps = await runAllCommands();

    expect(steps).toBeGreaterThan(2);
    expect(await historyRows(id)).toEqual([]);
    expect(await historyRows(other)).toEqual(before);
    expect(before).toHaveLength(7);
  });

  it('all rows of 500 deliveries are erased when the first command, which erases only a part of the rows, runs twice', async () => {
    const id = await create();
    await addDeliveries(id, eventsOf(500));
    await remove(id);
    const [first] = await commands();
    if (!first) throw new Error('no command');
    const countBefore = (await historyRows(id)).length;

    await runCommand(first);
    const countAfter = (await historyRows(id)).length;
    await runCommand(first);

    expect(first).toMatchObject({ type: 'erase-history', step: 1 });
    expect(countAfter).toBeGreaterThan(0);
    expect(countAfter).toBeLessThan(countBefore);
    await runAllCommands();
    expect(await historyRows(id)).toEqual([]);
  });

  it('unlike PassMint, the native DELETE /webhooks/{id} submits no command, and GET /deliveries/{id} still answers 200', async () => {
    const id = await create();
    const [delivery] = await addDeliveries(id, eventsOf(1));

    await native('DELETE', `/webhooks/${id}`, caller);

    expect(await commands()).toEqual([]);
    expect((await deliveriesApi('GET', `/deliveries/${delivery?.id}`, caller)).status).toBe(200);
  });
});
