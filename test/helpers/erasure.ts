import { DeleteItemCommand, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { expect } from 'vitest';
import { imageToChange } from '../../lambdas/adapters/fan-out/stream-record.ts';
import { attemptKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { createFinder } from '../secrecy/find-needles.ts';
import type { Json } from './api-call.ts';
import { aCaller, type CallAs, type Caller, rowsHolding, useApi } from './api-caller.ts';
import type { Tables } from './tables.ts';
import { type Answering, createVirtualEngine } from './virtual-engine.ts';

/** Personal strings that a test plants in a task, a job or a receiver's response. No other value contains them. */
export const planted = {
  item: 'Planted-Item of Nora',
  pickup: 'Planted-Pickup street 1',
  dropoff: 'Planted-Dropoff street 2',
  recipient: 'Planted-Recipient Nora',
  phone: '+4798765432',
  carrier: 'Planted-Carrier Kai',
  reason: 'Planted-Reason: Nora moved',
  response: 'Planted-Response for Nora',
  input: 'Planted-Input for Nora',
  result: 'Planted-Result for Nora',
} as const;

export const aTask = {
  item: planted.item,
  pickup: { city: 'Oslo', address: planted.pickup },
  dropoff: { city: 'Bergen', address: planted.dropoff },
  recipient: { name: planted.recipient, phone: planted.phone },
};

const find = createFinder(Object.values(planted).map((text) => ({ kind: 'event body', text })));

/** Returns every row of the three tables that holds a planted string: its kind (or its keys) and the strings. */
export const rowsWithPlanted = async ({ client, ...tables }: Tables): Promise<{ kind: string; texts: string[] }[]> => {
  const rows: Record<string, unknown>[] = [];
  for (const TableName of [tables.domainTable, tables.deliveryTable, tables.credentialsTable]) {
    for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
      rows.push(...Items.map((item) => unmarshall(item)));
    }
  }
  return rows.flatMap((row) => {
    const found = find(JSON.stringify(row)).map(({ text }) => text);
    return found.length === 0 ? [] : [{ kind: String(row.kind ?? `${row.pk} ${row.sk}`), texts: found }];
  });
};

/** Removes the rows that earlier tests of the file have left in the domain table and in the delivery table. */
const emptyTables = async ({ client, domainTable, deliveryTable }: Tables): Promise<void> => {
  for (const TableName of [domainTable, deliveryTable]) {
    for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
      for (const { pk, sk } of Items) await client.send(new DeleteItemCommand({ TableName, Key: { pk, sk } as never }));
    }
  }
};

/** The kinds of rows that the stream passes to the fan-out, as the filters of its mapping select them. */
const isCarried = ({ kind, origin, status, result_to }: Record<string, unknown>): boolean =>
  kind === 'task' ||
  kind === 'command' ||
  (kind === 'event' && origin === 'publish') ||
  (kind === 'job' && status === 'completed' && result_to === 'webhooks');

/**
 * Gives each test an account, the real handlers of the API, and the engine on the same tables. `carry` gives the fan-out
 * the rows that changed since the last call, as the stream does.
 */
export const useErasure = (tables: Tables) => {
  const apis: Readonly<Record<string, CallAs>> = {
    tasks: useApi(tables, 'tasks-api'),
    jobs: useApi(tables, 'jobs-api'),
    events: useApi(tables, 'events-api'),
    deliveries: useApi(tables, 'deliveries-api'),
  };

  return async (answer: Answering) => {
    await emptyTables(tables);
    const caller: Caller = await aCaller(tables);
    const engine = createVirtualEngine(tables, answer, { owner: caller.owner, startMs: Date.now() });
    const seen = new Map<string, string>();

    const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const api = apis[path.split('/')[1] ?? ''];
      if (!api) throw new Error(`no API function serves ${path}`);
      return api(method, path, caller, { headers, ...(body === undefined ? {} : { body }) });
    };
    const domainRows = async () => [
      ...(await rowsHolding(tables, tables.domainTable, caller.owner)),
      ...(await rowsHolding(tables, tables.domainTable, 'T#')).filter(({ owner }) => owner === caller.owner),
      ...(await rowsHolding(tables, tables.domainTable, 'J#')).filter(({ owner }) => owner === caller.owner),
    ];
    /** The rows that the stream has and that the fan-out has not got yet. */
    const changed = async () =>
      (await domainRows()).filter((row) => {
        const [key, text] = [`${row.pk} ${row.sk}`, JSON.stringify(row)];
        const isNew = seen.get(key) !== text;
        const isInsertOnly = row.kind === 'event' || row.kind === 'command';
        const isFirst = !seen.has(key);
        seen.set(key, text);
        return isNew && isCarried(row) && (isFirst || !isInsertOnly);
      });
    const carryRows = async (rows: readonly Record<string, unknown>[]): Promise<void> => {
      for (const row of rows) {
        const change = imageToChange(marshall(row));
        if (change) await engine.fanOut([change]);
      }
    };
    return {
      caller,
      engine,
      call,
      changed,
      carryRows,
      carry: async () => carryRows(await changed()),
      /** Makes a call that must succeed and returns its JSON body. */
      callOk: async (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Json> => {
        const { status, json, text } = await call(method, path, body, headers);
        expect(status, text).toBeLessThan(300);
        return json;
      },
      /** The statuses of the owner's deliveries, sorted. */
      statuses: async (): Promise<string[]> =>
        (await rowsHolding(tables, tables.deliveryTable, 'W#'))
          .filter(({ kind, owner }) => kind === 'delivery' && owner === caller.owner)
          .map(({ status }) => String(status))
          .toSorted(),
    };
  };
};

/** Removes the row of a delivery's first attempt, as if it was not written yet. `putBack` writes the row. */
export const takeAttempt = async ({ client, deliveryTable: TableName }: Tables, deliveryId: string) => {
  const Key = marshall(attemptKey(deliveryId, 1));
  const { Attributes: Item } = await client.send(new DeleteItemCommand({ TableName, Key, ReturnValues: 'ALL_OLD' }));
  expect(Item).toBeDefined();
  const ConditionExpression = 'attribute_not_exists(pk)';
  return { putBack: () => client.send(new PutItemCommand({ TableName, Item, ConditionExpression })) };
};
