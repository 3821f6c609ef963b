import { beforeEach, describe, expect, it, vi } from 'vitest';
import { putPublicKeys } from '../../lambdas/adapters/keyring/public-keys.ts';
import { catalogue } from '../../lambdas/domain/events/built-in-types.ts';
import { positionToCursor } from '../../lambdas/domain/foundation/page.ts';
import { createKeyring, publicKeysOf } from '../../lambdas/domain/keyring/keyring.ts';
import { aCaller, type Caller, useApi } from '../helpers/api-caller.ts';
import { useTables } from '../helpers/tables.ts';

const schema = {
  type: 'object',
  required: ['booking'],
  properties: {
    booking: {
      type: 'object',
      required: ['id'],
      properties: { id: { type: 'string' }, nights: { type: 'integer' } },
      additionalProperties: false,
    },
  },
};
const own = { description: 'A room was booked.', schema };
const good = { booking: { id: 'b-1', nights: 2 } };

describe('the /event-types routes', () => {
  const tables = useTables();
  const api = useApi(tables, 'catalogue-api');
  const eventsApi = useApi(tables, 'events-api');
  const webhooksApi = useApi(tables, 'webhooks-api');
  let me: Caller;
  beforeEach(async () => {
    me = await aCaller(tables);
  });
  const put = (name: string, body: unknown = own, caller = me) => api('PUT', `/event-types/${name}`, caller, { body });
  const remove = (name: string, caller = me) => api('DELETE', `/event-types/${name}`, caller);
  const publish = (body: unknown, caller = me) => eventsApi('POST', '/events', caller, { body });
  const namesListed = async (limit: number, caller = me): Promise<string[]> => {
    const names: string[] = [];
    for (let cursor = ''; ; ) {
      const { json } = await api('GET', '/event-types', caller, { query: `limit=${limit}${cursor}` });
      expect(json.data.length).toBeLessThanOrEqual(limit);
      names.push(...json.data.map(({ name }: { name: string }) => name));
      if (json.next_cursor === null) return names;
      cursor = `&cursor=${json.next_cursor}`;
    }
  };

  it('PUT answers 201 to a new event type and 200 to a change; DELETE answers 204, then 404, and POST /events then rejects the type', async () => {
    const made = await put('booking.made');
    const changed = await put('booking.made', { description: 'Booked.' });

    expect(made).toMatchObject({ status: 201, json: { name: 'booking.made', ...own, builtin: false } });
    expect(changed).toMatchObject({ status: 200, json: { description: 'Booked.', schema: null } });
    expect((await remove('booking.made')).status).toBe(204);
    expect((await remove('booking.made')).status).toBe(404);
    expect((await remove('x'.repeat(2000))).status).toBe(404);
    expect((await publish({ type: 'booking.made', data: good })).json.errors[0].path).toBe('type');
  });

  it.each([1, 3, 7, 100])(
    'GET lists the event types of the account among the built-in types, sorted by name, at most %i per page',
    async (limit) => {
      const names = ['a', `b${'x'.repeat(99)}`, 'pass.a', 'pass.zz', 'task.accepted.twice', 'zz'];
      for (const name of names) await put(name);

      const expected = [...catalogue.map(({ name }) => name), ...names].toSorted((a, b) => (a < b ? -1 : 1));
      expect(await namesListed(limit)).toEqual(expected);
    },
  );

  // The lower end of the table's range was then behind its upper end, which DynamoDB rejects: the answer was 500.
  it.each(['~~', '~zz', 'a b', '\u00e9'])('GET answers 422 to a forged cursor after the name %j', async (name) => {
    const scope = JSON.stringify([`${me.accountId}#live`, 'listEventTypes', {}, {}]);
    const cursors = [positionToCursor({ at: '', id: name }, scope), Buffer.from(`|${name}`).toString('base64url')];

    const answers = await Promise.all(
      cursors.map((cursor) => api('GET', '/event-types', me, { query: `cursor=${cursor}` })),
    );

    expect(answers.map(({ status, json }) => [status, json.errors[0].path])).toEqual(
      cursors.map(() => [422, 'cursor']),
    );
  });

  it('PUT and DELETE answer 409 for a built-in event type', async () => {
    expect(await put('task.accepted')).toMatchObject({ status: 409, json: { errors: [{ code: 'built_in' }] } });
    expect((await remove('calculate_rates')).status).toBe(409);
  });

  it.each([
    ['a star', '*'],
    ['a space', 'a%20b'],
    ['a number sign', 'a%23b'],
    ['a leading dot', '.a'],
    ['101 characters', 'x'.repeat(101)],
    ['a letter outside ASCII', '%C3%A9'],
  ])('PUT answers 422 to a name with %s', async (_, name) => {
    expect(await put(name)).toMatchObject({ status: 422, json: { errors: [{ path: 'name' }] } });
  });

  it.each([
    ['an unknown type for a property', 'schema.properties.a.type', { properties: { a: { type: 'strin' } } }],
    ['a reference to another document', 'schema', { $ref: 'https://example.com/schema' }],
    ['the dialect draft-07', 'schema', { $schema: 'http://json-schema.org/draft-07/schema#' }],
    ['a pattern that is not a regular expression', 'schema', { pattern: '(' }],
    ['asynchronous validation', 'schema', { $async: true }],
    ['a reference to itself', 'schema', { $ref: '#' }],
    ['more than 32,768 bytes', 'schema', { description: 'x'.repeat(32_768) }],
  ])('PUT answers 422 to a schema with %s, and an error has the path %s', async (_, path, wrong) => {
    const { status, json } = await put('booking.made', { description: '', schema: wrong });

    expect(status).toBe(422);
    expect(json.errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  it('POST /events answers 422 to events that do not match the schema of their type, alone or in a batch, and names the wrong fields', async () => {
    await put('booking.made');

    const taken = await publish({ type: 'booking.made', data: good });
    const lone = await publish({ type: 'booking.made', data: { booking: { nights: 1.5, colour: 'red' } } });
    const batch = await publish({
      events: [
        { type: 'booking.made', data: good },
        { type: 'task.accepted', data: {} },
        { type: 'booking.made', data: { booking: { id: 1 } } },
        { type: 'booking.unmade', data: {} },
      ],
    });

    const paths = ({ json }: typeof lone) => json.errors.map(({ path }: { path: string }) => path).toSorted();
    expect(taken.status).toBe(202);
    expect(lone.status).toBe(422);
    expect(paths(lone)).toEqual(['data.booking.colour', 'data.booking.id', 'data.booking.nights']);
    expect(batch.status).toBe(422);
    expect(paths(batch)).toEqual(['events.2.data.booking.id', 'events.3.type']);
  });

  it('after PUT has replaced a schema, POST /events reports a missing field that only the new schema requires', async () => {
    await put('booking.made');
    await publish({ type: 'booking.made', data: good });
    await put('booking.made', { description: '', schema: { required: ['room'] } });

    expect((await publish({ type: 'booking.made', data: good })).json.errors).toEqual([
      expect.objectContaining({ path: 'data.room', code: 'required' }),
    ]);
  });

  it('POST /events makes one BatchGetItem call for a batch with two event types of the account, and none for built-in types', async () => {
    for (const name of ['own.a', 'own.b']) await put(name, { description: '' });
    const logged: string[] = [];
    const log = vi.spyOn(process.stdout, 'write').mockImplementation((text) => logged.push(String(text)) > 0);
    const console_ = vi.spyOn(console, 'log').mockImplementation((text) => void logged.push(String(text)));
    const events = (...types: string[]) => ({ events: types.map((type) => ({ type, data: {} })) });

    await publish(events('task.accepted', 'pass_created'));
    await publish(events('own.a', 'own.b', 'own.a', 'task.accepted'));
    log.mockRestore();
    console_.mockRestore();

    const calls = logged.flatMap((line) => (line.includes('publishEvents') ? [JSON.parse(line).aws.calls] : []));
    expect(calls.map((made) => made['dynamodb.BatchGetItem'] ?? 0)).toEqual([0, 1]);
  });

  it('POST /webhooks accepts an event type of the account; an unknown type in PATCH and a type of another account in POST get 422', async () => {
    await putPublicKeys(tables.client, tables.credentialsTable, publicKeysOf(createKeyring()));
    await put('booking.made');
    const webhook = { url: 'https://93.184.215.14/hook', events: ['booking.made', 'task.accepted'] };

    const made = await webhooksApi('POST', '/webhooks', me, { body: webhook });
    const events = ['booking.made', 'booking.unmade'];
    const changed = await webhooksApi('PATCH', `/webhooks/${made.json.id}`, me, { body: { events } });
    const foreign = await webhooksApi('POST', '/webhooks', await aCaller(tables), { body: webhook });

    expect(made.status).toBe(201);
    expect(changed).toMatchObject({ status: 422, json: { errors: [{ path: 'events.1' }] } });
    expect(foreign).toMatchObject({ status: 422, json: { errors: [{ path: 'events.0' }] } });
  });

  it('for a key of another account or mode, GET omits the event type, DELETE answers 404, POST /events 422 and PUT of the name 201', async () => {
    await put('booking.made');
    const others = [await aCaller(tables), await aCaller(tables, { accountId: me.accountId, mode: 'test' })];

    for (const other of others) {
      expect(await namesListed(100, other)).not.toContain('booking.made');
      expect((await remove('booking.made', other)).status).toBe(404);
      expect((await publish({ type: 'booking.made', data: good }, other)).status).toBe(422);
      expect((await put('booking.made', own, other)).status).toBe(201);
    }
  });
});
