import { describe, expect, it, vi } from 'vitest';
import { eventKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { Json } from '../helpers/api-call.ts';
import { aCaller } from '../helpers/api-caller.ts';
import { useEventsApi } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';

const one = { type: 'task.accepted', data: { task: { id: 'tsk_1' } } };
const batch = (count: number, over: (index: number) => object = () => ({})) => ({
  events: Array.from({ length: count }, (_, index) => ({ type: 'pass.created', data: { index }, ...over(index) })),
});

describe('the events-api function', () => {
  const tables = useTables();
  const { api, current, publish, get, rows, eventRows } = useEventsApi(tables);

  /** The calls that the request's log line tells of, without the key's own. */
  const callsOf = async (publishing: () => Promise<unknown>): Promise<unknown> => {
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await publishing();
    const { aws } = JSON.parse(String(out.mock.lastCall?.[0]));
    out.mockRestore();
    return Object.fromEntries(Object.entries(aws.calls).filter(([name]) => name !== 'dynamodb.UpdateItem'));
  };

  describe('POST /events', () => {
    it('answers the event as it will be known, and keeps its data as one text', async () => {
      const { status, json, headers } = await publish({ ...one, data: { b: 1, a: [1.5, null, 'é'] } });

      expect(status).toBe(202);
      expect(json).toEqual({
        id: expect.stringMatching(/^evt_0/),
        type: 'task.accepted',
        created_at: expect.any(String),
        publisher_id: null,
      });
      expect(await eventRows()).toEqual([
        {
          ...eventKey(current.me.owner, json.id),
          kind: 'event',
          id: json.id,
          owner: current.me.owner,
          origin: 'publish',
          type: 'task.accepted',
          data: '{"b":1,"a":[1.5,null,"é"]}',
          created_at: json.created_at,
          call: { request_id: headers['x-request-id'] },
          ttl: Math.ceil(Date.parse(json.created_at) / 1000) + 44 * 86_400,
        },
      ]);
    });

    it('costs one write for one event and four for a hundred, and no read', async () => {
      expect(await callsOf(() => publish(one))).toEqual({ 'dynamodb.PutItem': 1 });
      expect(await callsOf(() => publish({ ...one, id: 'mine' }))).toEqual({ 'dynamodb.PutItem': 1 });
      expect(await callsOf(() => publish(batch(100)))).toEqual({ 'dynamodb.BatchExecuteStatement': 4 });
      expect(await eventRows()).toHaveLength(102);
    });

    it('answers a batch in its order', async () => {
      const { status, json } = await publish(batch(30, (index) => ({ id: `p-${index}` })));

      expect(status).toBe(202);
      expect(json.data.map(({ publisher_id }: Json) => publisher_id)).toEqual(
        Array.from({ length: 30 }, (_, index) => `p-${index}`),
      );
    });

    it('takes the same id with the same content as the same event', async () => {
      const first = await publish({ ...one, id: 'mine', resource: null });

      const again = await publish({ id: 'mine', data: one.data, type: one.type });

      expect(first.json).toMatchObject({ publisher_id: 'mine', id: expect.stringMatching(/^evt_Z/) });
      expect(again).toMatchObject({ status: 202, headers: { 'idempotency-replayed': 'true' } });
      expect(first.headers).not.toHaveProperty('idempotency-replayed');
      expect(again.json).toEqual(first.json);
      expect(await eventRows()).toHaveLength(1);
    });

    it.each([
      ['data', { data: { task: { id: 'tsk_2' } } }],
      ['type', { type: 'task.created' }],
      ['resource', { resource: 'r' }],
      ['meta', { meta: { code: 1, message: '' } }],
    ])('refuses the same id with other %s', async (_, over) => {
      await publish({ ...one, id: 'mine' });

      const refused = await publish({ ...one, id: 'mine', ...over });

      expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'id', code: 'id_reused' }] } });
      expect(await eventRows()).toMatchObject([{ data: JSON.stringify(one.data) }]);
    });

    it('keeps ids apart by account and mode', async () => {
      const { accountId } = current.me;
      const test = await aCaller(tables, { accountId, mode: 'test' });
      const live = await publish({ ...one, id: 'mine' });

      const other = await api('POST', '/events', test, { body: { ...one, id: 'mine', resource: 'other' } });

      expect(other.status).toBe(202);
      expect(other.json.id).not.toBe(live.json.id);
      expect((await api('GET', `/events/${live.json.id}`, test)).status).toBe(404);
    });

    it('collapses equal ones under one id in a batch, and refuses unequal ones', async () => {
      const equal = await publish({ events: [{ ...one, id: 'a' }, one, { ...one, id: 'a' }] });
      const unequal = await publish({
        events: [
          { ...one, id: 'b' },
          { ...one, id: 'b', resource: 'r' },
        ],
      });

      expect(equal.json.data[0]).toEqual(equal.json.data[2]);
      expect(unequal).toMatchObject({ status: 422, json: { errors: [{ path: 'events.1.id' }] } });
      expect(await eventRows()).toHaveLength(2);
    });

    it('adds only what is missing of a batch that got half-way', async () => {
      const sent = batch(60, (index) => ({ id: `p-${index}` }));
      const half = await publish({ events: sent.events.slice(10, 40) });

      const whole = await publish(sent);
      const again = await publish(sent);

      expect(whole.json.data.slice(10, 40)).toEqual(half.json.data);
      expect(whole.headers).not.toHaveProperty('idempotency-replayed');
      expect(again.headers).toHaveProperty('idempotency-replayed', 'true');
      expect(again.json).toEqual(whole.json);
      expect(await eventRows()).toHaveLength(60);
    });

    it('refuses a batch whole where one of its ids was used for something else', async () => {
      await publish({ ...one, id: 'p-57' });
      const before = await rows();

      const refused = await publish(batch(60, (index) => ({ id: `p-${index}` })));

      expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'events.57.id', code: 'id_reused' }] } });
      expect(await rows()).toEqual(before);
    });
  });

  describe('with an Idempotency-Key', () => {
    const key = { 'idempotency-key': 'k1' };

    it.each([
      ['one', one],
      ['a batch', batch(30)],
      ['some with ids of their own', batch(5, (index) => (index % 2 ? { id: `p-${index}` } : {}))],
    ])('answers a repeat of %s as the first', async (_, body) => {
      const first = await publish(body, key);

      const again = await publish(body, key);

      expect(again).toMatchObject({ status: 202, headers: { 'idempotency-replayed': 'true' } });
      expect(again.json).toEqual(first.json);
    });

    it.each([
      ['other data', one, { ...one, data: {} }],
      ['fewer', batch(3), { events: batch(3).events.slice(0, 2) }],
      ['more', batch(3), batch(5)],
      ['a batch of the same', one, { events: [one] }],
      ['other ids', { ...one, id: 'a' }, { ...one, id: 'b' }],
    ])('refuses %s under the same key, and writes nothing', async (_, first, second) => {
      await publish(first, key);
      const before = await rows();

      const refused = await publish(second, key);

      expect(refused).toMatchObject({ status: 422, json: { type: '/problems/idempotency_mismatch' } });
      expect(await rows()).toEqual(before);
    });

    it('does not keep a key for what was refused', async () => {
      await publish({ ...one, id: 'a' });
      expect((await publish({ ...one, id: 'a', resource: 'r' }, key)).status).toBe(422);

      expect((await publish({ ...one, id: 'b' }, key)).status).toBe(202);
    });

    it('publishes once for concurrent twins', async () => {
      const answers = await Promise.all(Array.from({ length: 5 }, () => publish(batch(30), key)));

      expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect(await eventRows()).toHaveLength(30);
    });
  });

  it('publishes once for concurrent twins under one id', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => publish({ ...one, id: 'mine' })));

    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await eventRows()).toHaveLength(1);
  });

  describe('refuses by name, and writes nothing', () => {
    const meta = { code: 200, message: 'OK' };
    const cases: [string, unknown, string[]][] = [
      ['null', null, ['']],
      ['no data', { type: 'task.accepted' }, ['data']],
      ['no type', { data: {} }, ['type']],
      ['an unknown type', { ...one, type: 'nope' }, ['type']],
      ['a type of another kind', { ...one, type: 1 }, ['type']],
      ['data that is a list', { ...one, data: [] }, ['data']],
      ['data that is text', { ...one, data: '{}' }, ['data']],
      ['data that is null', { ...one, data: null }, ['data']],
      ['an unknown field', { ...one, colour: 1 }, ['colour']],
      ['an empty id', { ...one, id: '' }, ['id']],
      ['a long id', { ...one, id: 'x'.repeat(256) }, ['id']],
      ['an empty resource', { ...one, resource: '' }, ['resource']],
      ['meta without code', { ...one, meta: { message: '' } }, ['meta.code']],
      ['meta with more', { ...one, meta: { ...meta, more: 1 } }, ['meta.more']],
      ['no events', { events: [] }, ['events']],
      ['too many events', batch(101), ['events']],
      [
        'one bad of many',
        { events: [one, { ...one, type: 'nope' }, { ...one, type: 'x' }] },
        ['events.1.type', 'events.2.type'],
      ],
      ['one malformed of many', { events: [one, { ...one, data: 1 }] }, ['events.1.data']],
      ['a batch and an event', { ...one, events: [one] }, ['events']],
      ['numbers that fill a row when written out', { ...one, data: { n: Array(50_000).fill(1e20) } }, ['data']],
    ];

    it.each(cases)('%s', async (_, body, paths) => {
      const text = JSON.stringify(body).replaceAll('100000000000000000000', '1e20');
      const { status, json } = await publish(text);

      expect(status).toBe(422);
      expect(json.errors.map(({ path }: Json) => path)).toEqual(paths);
      expect(await rows()).toEqual([]);
    });

    it('deep nesting', async () => {
      const { status } = await publish(
        `{"type":"task.accepted","data":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`,
      );

      expect(status).toBe(422);
      expect(await rows()).toEqual([]);
    });
  });

  it('keeps members with odd names', async () => {
    const { json } = await publish('{"type":"task.accepted","data":{"__proto__":{"a":1},"constructor":2}}');

    expect(await eventRows()).toMatchObject([{ data: '{"__proto__":{"a":1},"constructor":2}' }]);
    expect((await get(json.id)).text).toContain('"data":{"__proto__":{"a":1},"constructor":2}');
  });
});
