import { beforeEach, describe, expect, it } from 'vitest';
import { drawId } from '../../lambdas/domain/foundation/id.ts';
import { aCaller, type Caller, rowsHolding, useApi } from '../helpers/api-caller.ts';
import { fanOutRow } from '../helpers/fanned-out.ts';
import { putRouting } from '../helpers/routing-rows.ts';
import { useTables } from '../helpers/tables.ts';

const ID = '5c1ee4d3-9a8d-4b5e-8f0e-2f1a5d1c7b90';

describe('the /templates routes', () => {
  const tables = useTables();
  const api = useApi(tables, 'catalogue-api');
  const eventsApi = useApi(tables, 'events-api');
  let me: Caller;
  beforeEach(async () => {
    me = await aCaller(tables);
  });
  const put = (id: string, body: unknown = { name: 'Boarding pass' }, caller = me) =>
    api('PUT', `/templates/${id}`, caller, { body });
  const rowOf = async (id: string) =>
    (await rowsHolding(tables, tables.domainTable, me.owner)).find(({ sk }) => sk === `tpl#${id}`);

  it('PUT answers 201 to a new template and 200 to a change, GET shows the change, and DELETE answers 204, then 404', async () => {
    const made = await put(ID);
    const changed = await put(ID, { name: 'Gate pass' });

    expect(made).toMatchObject({ status: 201, json: { id: ID, name: 'Boarding pass' } });
    expect(made.json.updated_at).toBe(made.json.created_at);
    expect(changed).toMatchObject({ status: 200, json: { name: 'Gate pass', created_at: made.json.created_at } });
    expect((await api('GET', `/templates/${ID}`, me)).json).toEqual(changed.json);
    expect((await api('DELETE', `/templates/${ID}`, me)).status).toBe(204);
    expect((await api('GET', `/templates/${ID}`, me)).status).toBe(404);
    expect((await api('DELETE', `/templates/${ID}`, me)).status).toBe(404);
    expect((await put(ID)).status).toBe(201);
  });

  it('GET and DELETE answer 404 to an id of 2,000 characters, a NUL character, an emoji and an id with a slash and dots', async () => {
    for (const id of ['x'.repeat(2000), '%00', '%F0%9F%98%80', 'webhook-count%2F..']) {
      expect((await api('GET', `/templates/${id}`, me)).status).toBe(404);
      expect((await api('DELETE', `/templates/${id}`, me)).status).toBe(404);
    }
  });

  it('PC-9 publishes an update once, to webhooks subscribed to the template or to every template, and does not publish a creation', async () => {
    const [mine, everything, other] = [1, 2, 3].map((ms) => drawId('whk', ms));
    const entries = [`${mine}|${ID}`, `${everything}|`, `${other}|other`];
    await putRouting(tables, me.owner, 'pass_template_updated', entries);

    await put(ID);
    const ofCreation = await fanOutRow(tables, await rowOf(ID));
    await put(ID, { name: 'Gate pass' });
    const ofUpdate = await fanOutRow(tables, await rowOf(ID));
    await fanOutRow(tables, await rowOf(ID));

    expect(ofCreation).toEqual([]);
    expect(ofUpdate.map(({ deliveryId }) => `whk_${deliveryId.slice(30)}`)).toEqual([mine, everything]);
    const { json } = await eventsApi('GET', '/events', me);
    expect(json.data).toEqual([
      expect.objectContaining({
        type: 'pass_template_updated',
        resource: ID,
        sequence: 2,
        data: { template: expect.objectContaining({ id: ID, name: 'Gate pass' }) },
      }),
    ]);
  });

  it('GET lists templates in pages of 2, the newest creation first, also after PUT has changed a template', async () => {
    for (const id of ['b', 'a', 'c']) await put(id);
    await put('b', { name: 'changed' });

    const ids: string[] = [];
    for (let cursor = ''; ; ) {
      const { json } = await api('GET', '/templates', me, { query: `limit=2${cursor}` });
      ids.push(...json.data.map(({ id }: { id: string }) => id));
      if (json.next_cursor === null) break;
      cursor = `&cursor=${json.next_cursor}`;
    }

    expect(ids).toEqual(['c', 'a', 'b']);
  });

  it.each([
    ['only dots', '..'],
    ['a space', 'a%20b'],
    ['a vertical bar', 'a%7Cb'],
    ['65 characters', 'x'.repeat(65)],
  ])('PUT answers 422 and GET answers 404 to an id with %s', async (_, id) => {
    expect(await put(id)).toMatchObject({ status: 422, json: { errors: [{ path: 'id' }] } });
    expect((await api('GET', `/templates/${id}`, me)).status).toBe(404);
  });

  // API Gateway decodes the path before it calls the function, so an encoded slash begins a further segment.
  it('PUT and GET answer 404 to an id with an encoded slash', async () => {
    expect(await put('a%2Fb')).toMatchObject({ status: 404, json: { type: '/problems/not_found' } });
    expect((await api('GET', '/templates/a%2Fb', me)).status).toBe(404);
  });

  it('for a key of another account or mode, GET and DELETE answer 404, the list is empty, and PUT of the id answers 201', async () => {
    await put(ID);
    const others = [await aCaller(tables), await aCaller(tables, { accountId: me.accountId, mode: 'test' })];

    for (const other of others) {
      expect((await api('GET', `/templates/${ID}`, other)).status).toBe(404);
      expect((await api('DELETE', `/templates/${ID}`, other)).status).toBe(404);
      expect((await api('GET', '/templates', other)).json.data).toEqual([]);
      expect((await put(ID, undefined, other)).status).toBe(201);
    }
  });

  it('PUT answers 201 to one and 200 to three of four simultaneous requests, and the template then has version 4', async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, (_, i) => put(ID, { name: `name ${i}` })));

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect((await rowOf(ID))?.version).toBe(4);
  });

  it('a key with only the scope events:read gets 403 from PUT and 200 from GET', async () => {
    const reader = await aCaller(tables, { accountId: me.accountId, scopes: ['events:read'] });

    expect((await put(ID, undefined, reader)).status).toBe(403);
    expect((await api('GET', '/templates', reader)).status).toBe(200);
  });
});
