import { beforeEach, describe, expect, it } from 'vitest';
import { catalogue } from '../../lambdas/domain/events/built-in-types.ts';
import { aCaller, type Caller, useApi } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';

describe('the catalogue-api function', () => {
  const tables = useTables();
  const api = useApi(tables, 'catalogue-api');
  let caller: Caller;
  beforeEach(async () => {
    caller = await aCaller(tables);
  });

  it('GET /event-types with limit=7 lists every built-in event type exactly once, sorted by name, over several pages', async () => {
    const names: string[] = [];
    for (let cursor = ''; ; ) {
      const { status, json } = await api('GET', '/event-types', caller, { query: `limit=7${cursor}` });
      expect(status).toBe(200);
      expect(json.data[0]).toEqual({
        name: expect.any(String),
        description: expect.any(String),
        schema: null,
        builtin: true,
      });
      names.push(...json.data.map(({ name }: { name: string }) => name));
      if (json.next_cursor === null) break;
      cursor = `&cursor=${json.next_cursor}`;
    }

    expect(names).toEqual(catalogue.map(({ name }) => name).toSorted());
  });

  it('GET /profiles lists the passpost profile with events, schedule, API versions and options, and the standard profile with events *', async () => {
    const { json } = await api('GET', '/profiles', caller);

    expect(json.next_cursor).toBeNull();
    expect(json.data).toContainEqual({
      name: 'passpost',
      events: ['task.accepted', 'task.picked_up', 'task.delivered', 'task.completed', 'task.cancelled'],
      schedule: [60, 300, 900, 3600, 21_600],
      api_versions: ['2026-11-01'],
      profile_options: expect.objectContaining({ type: 'object', properties: {}, additionalProperties: false }),
    });
    expect(json.data).toContainEqual(expect.objectContaining({ name: 'standard', events: ['*'] }));
  });

  it.each(['/event-types', '/profiles'])(
    'GET %s answers 422 to limit=0, to a malformed cursor and to an unknown parameter',
    async (path) => {
      for (const query of ['limit=0', 'cursor=!', 'colour=red']) {
        expect((await api('GET', path, caller, { query })).status).toBe(422);
      }
    },
  );

  it('POST /event-types answers 405 and GET /profiles/passpost answers 404', async () => {
    expect(await api('POST', '/event-types', caller, { body: {} })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
    expect((await api('GET', '/profiles/passpost', caller)).status).toBe(404);
  });

  it('GET /event-types and GET /profiles answer 403 to a key that has only the scope tasks:read', async () => {
    const tasksReader = await aCaller(tables, { accountId: caller.accountId, scopes: ['tasks:read'] });

    expect((await api('GET', '/event-types', tasksReader)).status).toBe(403);
    expect((await api('GET', '/profiles', tasksReader)).status).toBe(403);
  });
});
