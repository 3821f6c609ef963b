import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { resources } from '../../lambdas/domain/foundation/resources.ts';
import type { Operation } from '../../lambdas/runtime/operation.ts';
import type { Json } from './api-call.ts';
import { aCaller, type CallAs, type Caller, rowsHolding, useApi } from './api-caller.ts';
import { fanOutRow } from './fanned-out.ts';
import { useSigningKeys } from './signing-keys.ts';
import type { Tables } from './tables.ts';

const place = { city: 'Oslo', address: 'A 1' };
export const task = { item: 'Keys', pickup: place, dropoff: place };
export const webhook = { url: 'https://93.184.215.14/hook', events: ['task.accepted'] };
export const event = { type: 'task.accepted', data: { n: 1 } };

/** One thing of each kind that belongs to one owner. */
export interface Things {
  readonly tsk: string;
  readonly whk: string;
  readonly evt: string;
  readonly dlv: string;
}

const deliveryPaths = /^\/webhooks\/[^/]+\/(?:deliveries|test|recover|stats)$/;

/** Calls all functions of the native API, and makes things with keys of an account and of its owners. */
export const useBoundKeys = (tables: Tables) => {
  useSigningKeys(tables);
  const names = [...new Set(Object.values(resources).map(({ api }) => api))];
  const apis = new Map<string, CallAs>(names.map((name) => [name, useApi(tables, name)]));
  const call: CallAs = (method, path, caller, options) => {
    const first = `/${path.split('/')[1]}`;
    const resource = Object.values(resources).find(({ paths }) => (paths as readonly string[]).includes(first));
    const name = deliveryPaths.test(path) ? 'deliveries-api' : (resource?.api ?? '');
    const api = apis.get(name);
    if (!api) throw new Error(`no function serves ${path}`);
    return api(method, path, caller, options);
  };
  const callOk: (...args: Parameters<CallAs>) => Promise<Json> = async (...args) => {
    const { status, text, json } = await call(...args);
    if (status >= 300) throw new Error(`${args[0]} ${args[1]}: ${status} ${text}`);
    return json;
  };

  /** Returns a key of the account that is bound to an owner. */
  const bind = async (account: Caller, owner: string): Promise<Caller> => {
    const scopes = ['tasks', 'webhooks', 'events'].flatMap((name) => [`${name}:read`, `${name}:write`]);
    const { key } = await callOk('POST', '/keys', account, { body: { name: owner, scopes, owner } });
    return { ...account, key };
  };

  const fanOut = async (eventId: string): Promise<string[]> => {
    const rows = await rowsHolding(tables, tables.domainTable, 'E#');
    const tickets = await fanOutRow(
      tables,
      rows.find(({ sk }) => sk === eventId),
    );
    return tickets.map(({ deliveryId }) => deliveryId);
  };

  return {
    call,
    callOk,
    bind,
    account: () => aCaller(tables),
    /** Fans an event out, and returns the ids of its new deliveries. */
    fanOut,
    /** Makes one thing of each kind with a key. */
    makeThings: async (caller: Caller): Promise<Things> => {
      const { id: tsk } = await callOk('POST', '/tasks', caller, { body: task });
      const { id: whk } = await callOk('POST', '/webhooks', caller, { body: webhook });
      const { id: evt } = await callOk('POST', '/events', caller, { body: event });
      const deliveries = await fanOut(evt);
      return { tsk, whk, evt, dlv: deliveries.find((id) => id.includes(whk.slice(4))) ?? '' };
    },
    /** Calls an operation on one of the things, with the body of its example; the example of a replay names a webhook. */
    callOn: (operation: Operation, things: Things, caller: Caller) => {
      const byPrefix: Readonly<Record<string, string>> = { ...things };
      const prefix = operation.idPrefix ?? '';
      const id = byPrefix[prefix] ?? (prefix === '' ? 'any' : drawId(prefix as 'job', Date.now()));
      const path = operation.path.replace('/api/public/v1', '').replace('{id}', id).replace('{name}', 'own.type');
      const body = operation.body ? { body: operation.id === 'replayEvent' ? {} : (operation.example ?? {}) } : {};
      return call(operation.method, path, caller, body);
    },
  };
};
