import { beforeEach, describe, expect, it } from 'vitest';
import { catalogue } from '../../lambdas/domain/events/built-in-types.ts';
import { aCaller, type Caller, useApi } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';

describe('the catalogue-api function', () => {
  const tables = useTables();
  const api = useApi(tables, 'catalogue-api');
  let me: Caller;
  beforeEach(async () => {
    me = await aCaller(tables);
  });

  it('lists the types of events, page by page', async () => {
    const names: string[] = [];
    for (let cursor = ''; ; ) {
      const { status, json } = await api('GET', '/event-types', me, { query: `limit=7${cursor}` });
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

  it('tells of each profile what a webhook needs to know', async () => {
    const { json } = await api('GET', '/profiles', me);

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

  it.each(['/event-types', '/profiles'])('refuses a wrong query of %s', async (path) => {
    for (const query of ['limit=0', 'cursor=!', 'colour=red']) {
      expect((await api('GET', path, me, { query })).status).toBe(422);
    }
  });

  it('takes nothing but GET of the lists, and knows no other path', async () => {
    expect(await api('POST', '/event-types', me, { body: {} })).toMatchObject({
      status: 405,
      headers: { allow: 'GET' },
    });
    expect((await api('GET', '/profiles/passpost', me)).status).toBe(404);
  });

  it('asks for scopes', async () => {
    const tasks = await aCaller(tables, { accountId: me.accountId, scopes: ['tasks:read'] });

    expect((await api('GET', '/event-types', tasks)).status).toBe(403);
    expect((await api('GET', '/profiles', tasks)).status).toBe(403);
  });
});
