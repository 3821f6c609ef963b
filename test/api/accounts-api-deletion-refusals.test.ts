import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { jobToRow } from '../../lambdas/adapters/rows/job-row.ts';
import { rowOf } from '../../lambdas/adapters/rows/row.ts';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import type { JobStatus } from '../../lambdas/domain/jobs/job.ts';
import { modes, useAccountsApi } from '../helpers/accounts-api.ts';
import type { Json } from '../helpers/api-call.ts';
import type { Caller } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';

const DAY_MS = 86_400_000;
const url = 'https://93.184.215.14/hook';
const place = { city: 'Oslo', address: 'A' };
const task = { item: 'Pass', pickup: place, dropoff: place };

describe('DELETE /accounts/{id}', () => {
  const tables = useTables();
  const { current, call, done, inMode, remove, isThere, isRefused, rows } = useAccountsApi(tables);

  const obstacles: readonly (readonly [string, string, (caller: Caller) => Promise<() => Promise<unknown>>])[] = [
    [
      'webhooks',
      'DELETE /webhooks/{id}',
      async (caller) => {
        const { id } = await done(caller, 'POST', '/webhooks', { url, events: ['*'], enabled: false });
        return () => done(caller, 'DELETE', `/webhooks/${id}`);
      },
    ],
    [
      'event_types',
      'DELETE /event-types/{name}',
      async (caller) => {
        await done(caller, 'PUT', '/event-types/order.paid', { description: '' });
        return () => done(caller, 'DELETE', '/event-types/order.paid');
      },
    ],
    [
      'templates',
      'DELETE /templates/{id}',
      async (caller) => {
        await done(caller, 'PUT', '/templates/card', { name: 'Card' });
        return () => done(caller, 'DELETE', '/templates/card');
      },
    ],
    [
      'jobs',
      'POST /jobs/{id}/complete',
      async (caller) => {
        const { id: webhook } = await done(caller, 'POST', '/webhooks', { url, events: ['*'], profile: 'postmen' });
        const { id } = await done(caller, 'POST', '/jobs', { type: 'calculate_rates', input: {}, async: true });
        await done(caller, 'DELETE', `/webhooks/${webhook}`);
        const meta = { code: 200, message: 'OK', details: [], retryable: false };
        return () => done(caller, 'POST', `/jobs/${id}/complete`, { meta, data: {} });
      },
    ],
  ];

  it.each(modes.flatMap((mode) => obstacles.map((obstacle) => [mode, ...obstacle] as const)))(
    'changes nothing while there are, in %s mode, %s, and says how they go: %s',
    async (mode, kind, remedy, make) => {
      const caller = await inMode(mode);
      const undo = await make(caller);
      const before = await rows();

      const refused = await remove();

      expect(refused).toMatchObject({
        status: 409,
        json: {
          type: '/problems/conflict',
          detail: expect.stringContaining(`the account still has ${kind.replace('_', ' ')} (${mode}). `),
          errors: [{ path: `${mode}.${kind}`, code: 'not_empty', message: expect.stringContaining(remedy) }],
        },
      });
      expect(refused.json.detail).toContain(remedy);
      expect(await rows()).toEqual(before);
      expect(await isRefused(caller.key)).toBe(false);
      await undo();
      expect((await remove()).status).toBe(204);
    },
  );

  it.each(modes)('refuses for ever where there is a task, in %s mode', async (mode) => {
    const caller = await inMode(mode);
    const { id } = await done(caller, 'POST', '/tasks', task);
    await done(caller, 'POST', `/tasks/${id}/cancel`);

    const { status, json } = await remove();

    expect([status, json.errors.map(({ path }: Json) => path)]).toEqual([409, [`${mode}.tasks`]]);
    expect(json.detail).toMatch(/Tasks are stored without end.*DELETE \/keys\/\{id\}/);
  });

  it('names everything that is in the way, of both modes', async () => {
    for (const mode of modes) {
      const caller = await inMode(mode);
      for (const [, , make] of obstacles) await make(caller);
      await done(caller, 'POST', '/tasks', task);
    }

    const { json } = await remove();

    const kinds = ['webhooks', 'event_types', 'templates', 'jobs', 'tasks'];
    expect(json.errors.map(({ path }: Json) => path)).toEqual(
      modes.flatMap((mode) => kinds.map((kind) => `${mode}.${kind}`)),
    );
    // Longer ones are cut off.
    expect(json.detail.length).toBeLessThan(1000);
  });

  it('waits for a job behind many that are over and still listed, and for none of those', async () => {
    const put = (status: JobStatus, listedAs: JobStatus, createdAtMs = Date.now(), id = drawId('job', createdAtMs)) => {
      const created_at = new Date(createdAtMs).toISOString();
      const of = { id, owner: current.me.owner, type: 'calculate_rates', status, created_at, completed_at: null };
      const rest = { result_to: 'caller', input: '{}', meta: null, data: null, progress: null, version: 1 } as const;
      const row = jobToRow({ ...of, ...rest, content_hash: null, written_by: 'req' }, 30);
      const Item = marshall(rowOf({ ...row, list_sk: `${listedAs}#${created_at}#${id}` }));
      return tables.client.send(new PutItemCommand({ TableName: tables.domainTable, Item }));
    };
    const dayBefore = Date.now() - DAY_MS;
    const waiting = drawId('job', dayBefore);
    // Expired, and not yet deleted.
    await put('pending', 'pending', Date.now() - 60 * DAY_MS);
    for (let i = 0; i < 12; i++) await put('completed', 'pending');
    await put('running', 'running', dayBefore, waiting);

    const held = await remove();
    await put('failed', 'running', dayBefore, waiting);

    expect([held.status, held.json.errors.map(({ path }: Json) => path)]).toEqual([409, ['live.jobs']]);
    expect((await remove()).status).toBe(204);
  });

  it('knows no account that is not there, or whose id is none', async () => {
    for (const id of [drawId('acc', Date.now()), 'acc_1', drawId('key', Date.now()), 'ACCOUNTS', '%00', '..']) {
      expect((await remove(id)).status).toBe(404);
    }
  });

  it('refuses whoever is not the operator', async () => {
    const { me } = current;

    const refused = await call(me, 'DELETE', `/accounts/${me.accountId}`);
    const unknown = await call({ ...me, key: 'pp_live_nobody' }, 'DELETE', `/accounts/${me.accountId}`);

    expect(refused).toMatchObject({ status: 403, json: { detail: expect.stringContaining('admin') } });
    expect([unknown.status, await isThere(), await isRefused(me.key)]).toEqual([401, true, false]);
  });
});
