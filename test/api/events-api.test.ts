import { describe, expect, it, vi } from 'vitest';
import { eventKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { Json } from '../helpers/api-call.ts';
import { aCaller } from '../helpers/api-caller.ts';
import { useEventsApi } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';

const minimalEvent = { type: 'task.accepted', data: { task: { id: 'tsk_1' } } };
const batch = (count: number, overrides: (index: number) => object = () => ({})) => ({
  events: Array.from({ length: count }, (_, index) => ({ type: 'pass.created', data: { index }, ...overrides(index) })),
});

describe('the events-api function', () => {
  const tables = useTables();
  const { api, current, publish, get, rows, eventRows } = useEventsApi(tables);

  /** The AWS calls in the log line of a request, without the UpdateItem that authenticates and counts the API key. */
  const awsCallsOf = async (publishing: () => Promise<unknown>): Promise<unknown> => {
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await publishing();
    const { aws } = JSON.parse(String(out.mock.lastCall?.[0]));
    out.mockRestore();
    return Object.fromEntries(Object.entries(aws.calls).filter(([name]) => name !== 'dynamodb.UpdateItem'));
  };

  describe('POST /events', () => {
    it('answers 202 with the new event, and stores one event row with the data as JSON text and a ttl of 44 days', async () => {
      const { status, json, headers } = await publish({ ...minimalEvent, data: { b: 1, a: [1.5, null, 'é'] } });

      expect(status).toBe(202);
      expect(json).toEqual({
        id: expect.stringMatching(/^evt_0/),
        type: 'task.accepted',
        created_at: expect.any(String),
        publisher_id: null,
      });
      expect(await eventRows()).toEqual([
        {
          ...eventKey(current.caller.owner, json.id),
          kind: 'event',
          id: json.id,
          owner: current.caller.owner,
          origin: 'publish',
          type: 'task.accepted',
          data: '{"b":1,"a":[1.5,null,"é"]}',
          created_at: json.created_at,
          call: { request_id: headers['x-request-id'] },
          ttl: Math.ceil(Date.parse(json.created_at) / 1000) + 44 * 86_400,
        },
      ]);
    });

    it('apart from the check of the API key, makes one DynamoDB write for one event, four for a batch of 100 events, and no read', async () => {
      // An instance reads the row of a key only at the first request with the key.
      await publish(minimalEvent);

      expect(await awsCallsOf(() => publish(minimalEvent))).toEqual({ 'dynamodb.PutItem': 1 });
      expect(await awsCallsOf(() => publish({ ...minimalEvent, id: 'mine' }))).toEqual({ 'dynamodb.PutItem': 1 });
      expect(await awsCallsOf(() => publish(batch(100)))).toEqual({ 'dynamodb.BatchExecuteStatement': 4 });
      expect(await eventRows()).toHaveLength(103);
    });

    it('answers 202 to a batch of 30 events, with the events in the order of the request', async () => {
      const { status, json } = await publish(batch(30, (index) => ({ id: `p-${index}` })));

      expect(status).toBe(202);
      expect(json.data.map(({ publisher_id }: Json) => publisher_id)).toEqual(
        Array.from({ length: 30 }, (_, index) => `p-${index}`),
      );
    });

    it('repeats its first 202 answer, marked idempotency-replayed, to an event with the same id and content, and stores one event', async () => {
      const first = await publish({ ...minimalEvent, id: 'mine', resource: null });

      const again = await publish({ id: 'mine', data: minimalEvent.data, type: minimalEvent.type });

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
    ])(
      'answers 422 to an id that was used with different %s, and leaves the stored data unchanged',
      async (_, over) => {
        await publish({ ...minimalEvent, id: 'mine' });

        const refused = await publish({ ...minimalEvent, id: 'mine', ...over });

        expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'id', code: 'id_reused' }] } });
        expect(await eventRows()).toMatchObject([{ data: JSON.stringify(minimalEvent.data) }]);
      },
    );

    it('gives the same publisher id in live and in test mode two event ids, and the test key gets 404 for the live event', async () => {
      const { accountId } = current.caller;
      const testCaller = await aCaller(tables, { accountId, mode: 'test' });
      const live = await publish({ ...minimalEvent, id: 'mine' });

      const other = await api('POST', '/events', testCaller, {
        body: { ...minimalEvent, id: 'mine', resource: 'other' },
      });

      expect(other.status).toBe(202);
      expect(other.json.id).not.toBe(live.json.id);
      expect((await api('GET', `/events/${live.json.id}`, testCaller)).status).toBe(404);
    });

    it('stores two equal events with the same id in a batch once, and answers 422 to a batch with two different events with the same id', async () => {
      const equal = await publish({
        events: [{ ...minimalEvent, id: 'a' }, minimalEvent, { ...minimalEvent, id: 'a' }],
      });
      const unequal = await publish({
        events: [
          { ...minimalEvent, id: 'b' },
          { ...minimalEvent, id: 'b', resource: 'r' },
        ],
      });

      expect(equal.json.data[0]).toEqual(equal.json.data[2]);
      expect(unequal).toMatchObject({ status: 422, json: { errors: [{ path: 'events.1.id' }] } });
      expect(await eventRows()).toHaveLength(2);
    });

    it('stores only the 30 missing events of a batch of 60 when 30 are stored, and marks only a repeat of the batch as replayed', async () => {
      const sent = batch(60, (index) => ({ id: `p-${index}` }));
      const part = await publish({ events: sent.events.slice(10, 40) });

      const whole = await publish(sent);
      const again = await publish(sent);

      expect(whole.json.data.slice(10, 40)).toEqual(part.json.data);
      expect(whole.headers).not.toHaveProperty('idempotency-replayed');
      expect(again.headers).toHaveProperty('idempotency-replayed', 'true');
      expect(again.json).toEqual(whole.json);
      expect(await eventRows()).toHaveLength(60);
    });

    it('answers 422 and writes nothing for a batch of 60 events when one of its ids belongs to a different stored event', async () => {
      await publish({ ...minimalEvent, id: 'p-57' });
      const before = await rows();

      const refused = await publish(batch(60, (index) => ({ id: `p-${index}` })));

      expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'events.57.id', code: 'id_reused' }] } });
      expect(await rows()).toEqual(before);
    });
  });

  describe('POST /events with an Idempotency-Key', () => {
    const key = { 'idempotency-key': 'k1' };

    it.each([
      ['one event', minimalEvent],
      ['a batch', batch(30)],
      ['a batch in which some events have ids', batch(5, (index) => (index % 2 ? { id: `p-${index}` } : {}))],
    ])(
      'repeats its first 202 answer, marked idempotency-replayed, when %s is sent again with the same key',
      async (_, body) => {
        const first = await publish(body, key);

        const again = await publish(body, key);

        expect(again).toMatchObject({ status: 202, headers: { 'idempotency-replayed': 'true' } });
        expect(again.json).toEqual(first.json);
      },
    );

    it.each([
      ['other data', minimalEvent, { ...minimalEvent, data: {} }],
      ['fewer events', batch(3), { events: batch(3).events.slice(0, 2) }],
      ['more events', batch(3), batch(5)],
      ['a batch of the same event', minimalEvent, { events: [minimalEvent] }],
      ['another publisher id', { ...minimalEvent, id: 'a' }, { ...minimalEvent, id: 'b' }],
    ])('answers 422 to %s with the same key, and writes nothing', async (_, first, second) => {
      await publish(first, key);
      const before = await rows();

      const refused = await publish(second, key);

      expect(refused).toMatchObject({ status: 422, json: { type: '/problems/idempotency_mismatch' } });
      expect(await rows()).toEqual(before);
    });

    it('answers 202 to a different event with a key whose first call was refused with 422', async () => {
      await publish({ ...minimalEvent, id: 'a' });
      expect((await publish({ ...minimalEvent, id: 'a', resource: 'r' }, key)).status).toBe(422);

      expect((await publish({ ...minimalEvent, id: 'b' }, key)).status).toBe(202);
    });

    it('answers 202 with one body to five simultaneous calls with the same batch of 30 events, and stores 30 events', async () => {
      const answers = await Promise.all(Array.from({ length: 5 }, () => publish(batch(30), key)));

      expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect(await eventRows()).toHaveLength(30);
    });
  });

  it('POST /events gives five simultaneous calls with the same publisher id one answer, and stores one event', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => publish({ ...minimalEvent, id: 'mine' })));

    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await eventRows()).toHaveLength(1);
  });

  it('POST /events stores data members called __proto__ and constructor, and GET /events/{id} returns them', async () => {
    const { json } = await publish('{"type":"task.accepted","data":{"__proto__":{"a":1},"constructor":2}}');

    expect(await eventRows()).toMatchObject([{ data: '{"__proto__":{"a":1},"constructor":2}' }]);
    expect((await get(json.id)).text).toContain('"data":{"__proto__":{"a":1},"constructor":2}');
  });
});
