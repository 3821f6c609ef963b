import { describe, expect, it } from 'vitest';
import { operations } from '../../lambdas/contract/index.ts';
import type { Operation } from '../../lambdas/runtime/operation.ts';
import type { Json } from '../helpers/api-call.ts';
import { useApi } from '../helpers/api-caller.ts';
import { event, task, useBoundKeys, webhook } from '../helpers/bound-keys.ts';
import { useTables } from '../helpers/tables.ts';

const keyed = operations.filter(({ scope }) => scope !== null && scope !== 'admin');
const ofThing = keyed.filter(({ boundKeys, path }) => boundKeys === 'own' && path.includes('{id}'));
const named = (list: readonly Operation[]) => list.map((operation) => [operation.id, operation] as const);

describe('an API key that is bound to an owner', () => {
  const tables = useTables();
  const { call, callOk, bind, account, fanOut, makeThings, callOn } = useBoundKeys(tables);
  const passmint = useApi(tables, 'passmint-api', '/v1');
  const passcreator = useApi(tables, 'passcreator-api', '/api/hook');

  /** Keys of one account: of the account itself, of owner `a` and of owner `b`. */
  const threeKeys = async () => {
    const own = await account();
    return { own, a: await bind(own, 'a'), b: await bind(own, 'b') };
  };

  it('may make exactly these calls without an id: on its own things, and the lists of event types and profiles', () => {
    const without = keyed.filter(({ path, boundKeys }) => !path.includes('{id}') && boundKeys !== undefined);

    expect(Object.fromEntries(without.map(({ id, boundKeys }) => [id, boundKeys]))).toEqual({
      createTask: 'own',
      listTasks: 'own',
      createWebhook: 'own',
      listWebhooks: 'own',
      publishEvents: 'own',
      listEvents: 'own',
      listEventTypes: 'open',
      listProfiles: 'open',
    });
  });

  it.each(named(ofThing))(
    'gets 404 for %s on a thing of another owner and of the account, and not on its own',
    async (_, operation) => {
      const { own, a, b } = await threeKeys();
      const [mine, ofOther, ofAccount] = [await makeThings(a), await makeThings(b), await makeThings(own)];

      const foreign = [await callOn(operation, ofOther, a), await callOn(operation, ofAccount, a)];
      const allowed = await callOn(operation, mine, a);

      expect(foreign.map(({ status }) => status)).toEqual([404, 404]);
      for (const { text } of foreign) expect(text).not.toMatch(new RegExp(Object.values(ofOther).join('|')));
      expect([404, 403, 500]).not.toContain(allowed.status);
    },
  );

  it.each(named(keyed.filter(({ boundKeys }) => boundKeys === undefined)))(
    'gets 403 for %s, which concerns the whole account',
    async (_, operation) => {
      const { a } = await threeKeys();

      const { status } = await callOn(operation, await makeThings(a), a);

      expect(status).toBe(403);
    },
  );

  it('lists only its own tasks, webhooks and events, with every filter and with a cursor of a key of the account', async () => {
    const { own, a, b } = await threeKeys();
    for (const caller of [own, b, own, b]) await makeThings(caller);
    const mine = await makeThings(a);
    for (const [path, id, filters] of [
      ['/tasks', mine.tsk, ['', 'status=created']],
      ['/webhooks', mine.whk, ['']],
      ['/events', mine.evt, ['', 'type=task.accepted', 'since=2020-01-01T00:00:00Z']],
    ] as const) {
      for (const filter of filters) {
        const ids: string[] = [];
        for (let cursor: string | null = ''; cursor !== null; ) {
          const query: string = [filter, 'limit=2', cursor && `cursor=${cursor}`].filter(Boolean).join('&');
          const { data, next_cursor } = await callOk('GET', path, a, { query });
          ids.push(...data.map((item: Json) => item.id));
          cursor = next_cursor;
        }
        expect([path, filter, ids]).toEqual([path, filter, [id]]);
      }
      const { next_cursor } = await callOk('GET', path, own, { query: 'limit=1' });
      expect((await call('GET', path, a, { query: `cursor=${next_cursor}` })).status).toBe(422);
    }
  });

  it('gives its owner to what it makes, and gets 422 at owner for another owner, in a batch of events at events.1.owner', async () => {
    const { a } = await threeKeys();

    const made = [
      await callOk('POST', '/tasks', a, { body: task }),
      await callOk('POST', '/webhooks', a, { body: { ...webhook, owner: 'a' } }),
      await callOk('GET', `/events/${(await callOk('POST', '/events', a, { body: event })).id}`, a),
    ];
    const refused = [
      await call('POST', '/tasks', a, { body: { ...task, owner: 'b' } }),
      await call('POST', '/webhooks', a, { body: { ...webhook, owner: 'b' } }),
      await call('POST', '/events', a, { body: { events: [event, { ...event, owner: 'b' }] } }),
    ];

    expect(made.map(({ owner }) => owner)).toEqual(['a', 'a', 'a']);
    expect(
      refused.map(({ status, json }) => [status, json.errors.map(({ path, code }: Json) => `${path} ${code}`)]),
    ).toEqual([
      [422, ['owner other_owner']],
      [422, ['owner other_owner']],
      [422, ['events.1.owner other_owner']],
    ]);
  });

  it('sees of its own event only the deliveries to its own webhooks, and replays it only to them', async () => {
    const { own, a } = await threeKeys();
    const platform = await callOk('POST', '/webhooks', own, { body: webhook });
    const mine = await callOk('POST', '/webhooks', a, { body: webhook });
    const { id } = await callOk('POST', '/events', a, { body: event });
    const deliveries = await fanOut(id);

    const seen = await callOk('GET', `/events/${id}`, a);
    const replayed = await callOk('POST', `/events/${id}/replay`, a, { body: {} });
    const toPlatform = await call('POST', `/events/${id}/replay`, a, { body: { webhook_id: platform.id } });

    expect(deliveries).toHaveLength(2);
    expect(seen.deliveries.map(({ webhook_id }: Json) => webhook_id)).toEqual([mine.id]);
    expect(replayed.delivery_ids).toEqual(seen.deliveries.map((delivery: Json) => delivery.id));
    expect(toPlatform.status).toBe(404);
    expect((await callOk('GET', `/events/${id}`, own)).deliveries).toHaveLength(2);
  });

  it('shares neither Idempotency-Keys nor ids of publishers with another owner: both get things of their own', async () => {
    const { a, b } = await threeKeys();
    const headers = { 'idempotency-key': 'same' };
    const make = async (caller: typeof a) => [
      (await callOk('POST', '/tasks', caller, { body: task, headers })).id,
      (await callOk('POST', '/webhooks', caller, { body: webhook, headers })).id,
      (await callOk('POST', '/events', caller, { body: event, headers })).id,
      (await callOk('POST', '/events', caller, { body: { ...event, id: 'order-1' } })).id,
    ];

    const [first, second, repeated] = [await make(a), await make(b), await make(a)];

    expect(new Set([...first, ...second]).size).toBe(8);
    expect(repeated).toEqual(first);
  });

  it('gets 403 from the APIs of Passmint and Passcreator, which concern the whole account', async () => {
    const { a } = await threeKeys();

    const answers = [
      await passmint('GET', '/webhooks', a),
      await passmint('POST', '/webhooks', a, { body: { url: webhook.url, events: ['pass.created'] } }),
      await passcreator('GET', '/list', a, { headers: { authorization: a.key } }),
      await passcreator('GET', '/publickey', a, { headers: { authorization: a.key } }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  });

  it('stays bound after a rotation, shows its owner in the list of keys, and is refused scopes of the whole account', async () => {
    const { own } = await threeKeys();
    const body = { name: 'c', scopes: ['webhooks:read'], owner: 'c' };
    const made = await callOk('POST', '/keys', own, { body });
    const rotated = await callOk('POST', `/keys/${made.id}/rotate`, own, { body: {} });
    const refused = await call('POST', '/keys', own, { body: { ...body, scopes: ['webhooks:read', 'keys:read'] } });

    expect([made.owner, rotated.owner]).toEqual(['c', 'c']);
    expect((await callOk('GET', '/keys', own)).data.map((key: Json) => key.owner)).toEqual([
      'c',
      'c',
      'b',
      'a',
      null,
      null,
    ]);
    expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'scopes.1', code: 'not_for_owner' }] } });
    await makeThings(own);
    expect((await callOk('GET', '/webhooks', { ...own, key: rotated.key })).data).toEqual([]);
  });
});
