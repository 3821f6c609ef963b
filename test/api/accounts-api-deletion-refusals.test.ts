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
  const { current, call, callOk, inMode, remove, accountExists, isKeyRefused, rows } = useAccountsApi(tables);

  const obstacles: readonly (readonly [string, string, (caller: Caller) => Promise<() => Promise<unknown>>])[] = [
    [
      'webhooks',
      'DELETE /webhooks/{id}',
      async (caller) => {
        const { id } = await callOk(caller, 'POST', '/webhooks', { url, events: ['*'], enabled: false });
        return () => callOk(caller, 'DELETE', `/webhooks/${id}`);
      },
    ],
    [
      'event_types',
      'DELETE /event-types/{name}',
      async (caller) => {
        await callOk(caller, 'PUT', '/event-types/order.paid', { description: '' });
        return () => callOk(caller, 'DELETE', '/event-types/order.paid');
      },
    ],
    [
      'templates',
      'DELETE /templates/{id}',
      async (caller) => {
        await callOk(caller, 'PUT', '/templates/card', { name: 'Card' });
        return () => callOk(caller, 'DELETE', '/templates/card');
      },
    ],
    [
      'jobs',
      'POST /jobs/{id}/complete',
      async (caller) => {
        const { id: webhook } = await callOk(caller, 'POST', '/webhooks', { url, events: ['*'], profile: 'postmen' });
        const { id } = await callOk(caller, 'POST', '/jobs', { type: 'calculate_rates', input: {}, async: true });
        await callOk(caller, 'DELETE', `/webhooks/${webhook}`);
        const meta = { code: 200, message: 'OK', details: [], retryable: false };
        return () => callOk(caller, 'POST', `/jobs/${id}/complete`, { meta, data: {} });
      },
    ],
  ];

  it.each(modes.flatMap((mode) => obstacles.map((obstacle) => [mode, ...obstacle] as const)))(
    'answers 409 while the account has %s-mode %s, names %s as the remedy and changes no row; answers 204 after that call',
    async (mode, kind, remedy, createObstacle) => {
      const caller = await inMode(mode);
      const removeObstacle = await createObstacle(caller);
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
      expect(await isKeyRefused(caller.key)).toBe(false);
      await removeObstacle();
      expect((await remove()).status).toBe(204);
    },
  );

  it.each(modes)(
    'answers 409 for an account that has only a cancelled task in %s mode and names the erasure as the remedy; answers 204 after the erasure',
    async (mode) => {
      const caller = await inMode(mode);
      const { id } = await callOk(caller, 'POST', '/tasks', task);
      await callOk(caller, 'POST', `/tasks/${id}/cancel`);

      const { status, json } = await remove();

      expect([status, json.errors.map(({ path }: Json) => path)]).toEqual([409, [`${mode}.tasks`]]);
      expect(json.detail).toContain('Erase the personal data of its tasks with DELETE /tasks/{id}/personal-data.');
      await callOk(caller, 'DELETE', `/tasks/${id}/personal-data`);
      expect((await remove()).status).toBe(204);
    },
  );

  it('for webhooks, event types, templates, jobs and tasks in both modes, lists ten errors in one answer with a detail below 1,000 characters', async () => {
    for (const mode of modes) {
      const caller = await inMode(mode);
      for (const [, , createObstacle] of obstacles) await createObstacle(caller);
      await callOk(caller, 'POST', '/tasks', task);
    }

    const { json } = await remove();

    const kinds = ['webhooks', 'event_types', 'templates', 'jobs', 'tasks'];
    expect(json.errors.map(({ path }: Json) => path)).toEqual(
      modes.flatMap((mode) => kinds.map((kind) => `${mode}.${kind}`)),
    );
    // The API cuts off a detail after 1,000 characters.
    expect(json.detail.length).toBeLessThan(1000);
  });

  it('answers 409 when the only running job comes after 12 completed jobs that the list index still has as pending, and 204 after that job has failed', async () => {
    const put = (status: JobStatus, listedAs: JobStatus, createdAtMs = Date.now(), id = drawId('job', createdAtMs)) => {
      const created_at = new Date(createdAtMs).toISOString();
      const summary = {
        id,
        owner: current.caller.owner,
        type: 'calculate_rates',
        status,
        created_at,
        completed_at: null,
      };
      const rest = { result_to: 'caller', input: '{}', meta: null, data: null, progress: null, version: 1 } as const;
      const row = jobToRow({ ...summary, ...rest, content_hash: null, written_by: 'req' }, 30);
      const Item = marshall(rowOf({ ...row, list_sk: `${listedAs}#${created_at}#${id}` }));
      return tables.client.send(new PutItemCommand({ TableName: tables.domainTable, Item }));
    };
    const dayBefore = Date.now() - DAY_MS;
    const runningJob = drawId('job', dayBefore);
    // A job that has expired, whose row DynamoDB has not deleted yet.
    await put('pending', 'pending', Date.now() - 60 * DAY_MS);
    for (let i = 0; i < 12; i++) await put('completed', 'pending');
    await put('running', 'running', dayBefore, runningJob);

    const refused = await remove();
    await put('failed', 'running', dayBefore, runningJob);

    expect([refused.status, refused.json.errors.map(({ path }: Json) => path)]).toEqual([409, ['live.jobs']]);
    expect((await remove()).status).toBe(204);
  });

  it('answers 404 to the operator for an unknown account id, the id of an API key and malformed ids', async () => {
    for (const id of [drawId('acc', Date.now()), 'acc_1', drawId('key', Date.now()), 'ACCOUNTS', '%00', '..']) {
      expect((await remove(id)).status).toBe(404);
    }
  });

  it('answers 403 to an API key of the account and 401 to an unknown key; afterwards the account exists and its API key works', async () => {
    const { caller } = current;

    const refused = await call(caller, 'DELETE', `/accounts/${caller.accountId}`);
    const unknown = await call({ ...caller, key: 'pp_live_nobody' }, 'DELETE', `/accounts/${caller.accountId}`);

    expect(refused).toMatchObject({ status: 403, json: { detail: expect.stringContaining('admin') } });
    expect([unknown.status, await accountExists(), await isKeyRefused(caller.key)]).toEqual([401, true, false]);
  });
});
