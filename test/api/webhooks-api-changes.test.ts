import { describe, expect, it } from 'vitest';
import { webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { commandSchema } from '../../lambdas/domain/deliveries/command.ts';
import { catalogue } from '../../lambdas/domain/events/built-in-types.ts';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import { putDelivery } from '../helpers/events-api.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, createVirtualEngine } from '../helpers/virtual-engine.ts';
import { useWebhooksApi } from '../helpers/webhooks-api.ts';

describe('the webhooks-api function (changes)', () => {
  const tables = useTables();
  const { current, create, patch, get, remove, rowAt, rows, routesOf, webhookCount, setAttribute } =
    useWebhooksApi(tables);

  describe('PATCH /webhooks/{id}', () => {
    it('answers 200, changes the given fields, clears the fields given as null and leaves the other fields', async () => {
      const { id, created_at } = await create({
        resource: 'r',
        description: 'd',
        schedule: [1, 2],
        basic_auth: { username: 'a', password: 'b' },
        headers: { 'x-a': 'b' },
        max_per_second: 5,
      });

      const { status, json: body } = await patch(id, {
        url: 'https://93.184.215.15/hook',
        description: null,
        schedule: null,
        basic_auth: null,
        headers: null,
        max_per_second: null,
        timeout_seconds: 3,
      });

      expect(status).toBe(200);
      expect(body).toMatchObject({
        created_at,
        url: 'https://93.184.215.15/hook',
        resource: 'r',
        description: null,
        schedule: null,
        basic_auth: null,
        headers: {},
        max_per_second: null,
        timeout_seconds: 3,
      });
      expect((await get(id)).json).toEqual(body);
    });

    it('adds and removes the webhook in the routing rows of event types when events or resource change', async () => {
      const { id } = await create({ events: ['task.accepted', 'task.delivered'] });
      const other = await create();

      await patch(id, { events: ['task.delivered', 'task.created'] });
      expect(await routesOf('task.accepted')).toEqual([`${other.id}|`]);
      expect(await routesOf('task.created')).toEqual([`${id}|`]);

      await patch(id, { resource: 'a|b', events: ['task.created', 'task.accepted'] });
      expect(await routesOf('task.delivered')).toEqual([]);
      expect(await routesOf('task.created')).toEqual([`${id}|a|b`]);
      expect((await routesOf('task.accepted')).toSorted()).toEqual([`${id}|a|b`, `${other.id}|`].toSorted());

      await patch(id, { resource: null });
      expect(await routesOf('task.created')).toEqual([`${id}|`]);
    });

    it('enabled false sets the reason manual but does not replace the reason gone; enabled true submits one release command, a second time none', async () => {
      const { id } = await create();
      const commands = async () => (await rows()).filter(({ kind }) => kind === 'command');

      expect((await patch(id, { enabled: false })).json).toMatchObject({
        status: 'disabled',
        disabled_reason: 'manual',
      });
      await setAttribute(webhookKey(current.caller.owner, id), 'disabled_reason', 'gone');
      expect((await patch(id, { enabled: false })).json.disabled_reason).toBe('gone');
      expect(await commands()).toEqual([]);

      expect((await patch(id, { enabled: true })).json).toMatchObject({ status: 'enabled', disabled_reason: null });
      expect(await commands()).toMatchObject([{ type: 'release', webhook_id: id, owner: current.caller.owner }]);
      await patch(id, { enabled: true });
      expect(await commands()).toHaveLength(1);
    });

    it('shows the path of a new and of a changed url percent-encoded, and the query as it was written', async () => {
      const created = await create({ url: 'https://93.184.215.14/ø/{id}?a={b}' });
      const changed = await patch(created.id, { url: 'https://93.184.215.14/"é"?a=%zz' });

      expect(created.url).toBe('https://93.184.215.14/%C3%B8/%7Bid%7D?a={b}');
      expect(changed.json.url).toBe('https://93.184.215.14/%22%C3%A9%22?a=%zz');
    });

    const types = catalogue.slice(0, 20).map(({ name }) => name);
    const cases: [string, object, string[]][] = [
      ['a new profile', { profile: 'standard' }, ['profile']],
      ['a new secret', { secret: 'another-secret' }, ['secret']],
      ['read-only fields', { id: 'whk_1', status: 'enabled' }, ['id', 'status']],
      ['a url in a private network', { url: 'https://192.168.1.1/' }, ['url']],
      ['unknown events', { events: ['task.created', 'x'] }, ['events.1']],
      ['null in required fields', { url: null, events: null, enabled: null }, ['enabled', 'events', 'url']],
      ['three stars as a header value', { headers: { 'x-a': '***' } }, ['headers.x-a']],
      ['an unknown api_version', { api_version: 'x' }, ['api_version']],
      ['an unknown profile option', { profile_options: { a: 1 } }, ['profile_options.a']],
      ['a resource of 200 characters with 20 event types', { events: types, resource: 'x'.repeat(200) }, ['resource']],
      [
        'a profile option called __proto__',
        { profile_options: JSON.parse('{"__proto__":{}}') },
        ['profile_options.__proto__'],
      ],
      // Fixed bug: the faults that the schema finds hid the faults of every other kind until the next request.
      [
        'wrong fields of every kind',
        {
          url: 'https://10.0.0.1/',
          events: ['x'],
          enabled: 1,
          resource: 2,
          profile_options: { a: 1 },
          schedule: 'x',
          secret: 'x',
        },
        ['enabled', 'events.0', 'profile_options.a', 'resource', 'schedule', 'secret', 'url'],
      ],
      [
        'a resource too long for its 20 event types, and an unknown option',
        { events: types, resource: 'x'.repeat(200), profile_options: { a: 1 } },
        ['profile_options.a', 'resource'],
      ],
      ['a header called __proto__', { headers: JSON.parse('{"__proto__":"x"}') }, ['headers.__proto__']],
    ];
    it.each(cases)('answers 422, names each wrong field and changes no row for %s', async (_, body, paths) => {
      const { id } = await create();
      const before = await rows();

      const { status, json: problem } = await patch(id, body);

      expect(status).toBe(422);
      expect(problem.errors.map((error: { path: string }) => error.path).toSorted()).toEqual(paths);
      expect(await rows()).toEqual(before);
    });

    // An earlier release accepted a long resource with any number of event types.
    it('when the stored resource is too long for its 20 event types, answers 200 to a new description and 422 to events', async () => {
      const { id } = await create({ events: types });
      await setAttribute(webhookKey(current.caller.owner, id), 'resource', 'x'.repeat(200));

      const description = await patch(id, { description: 'as before' });
      const sameEvents = await patch(id, { events: types });

      expect([description.status, sameEvents.status]).toEqual([200, 422]);
    });

    it('answers 422 with the code https_required to allow_http false when the url of the webhook is plain http', async () => {
      const { id } = await create({ url: 'http://93.184.215.14/', allow_http: true });

      const refused = await patch(id, { allow_http: false });

      expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'url', code: 'https_required' }] } });
    });

    it('answers 422 to basic_auth when the webhook has an Authorization header', async () => {
      const { id } = await create({ headers: { Authorization: 'Bearer x' } });

      const refused = await patch(id, { basic_auth: { username: 'a', password: 'b' } });

      expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'basic_auth' }] } });
    });

    it('answers 200 to three simultaneous calls with different fields, and applies all three changes', async () => {
      const { id } = await create();

      const answers = await Promise.all([
        patch(id, { description: 'x' }),
        patch(id, { timeout_seconds: 5 }),
        patch(id, { resource: 'r' }),
      ]);

      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect((await get(id)).json).toMatchObject({ description: 'x', timeout_seconds: 5, resource: 'r' });
      expect(await routesOf('task.accepted')).toEqual([`${id}|r`]);
    });
  });

  describe('DELETE /webhooks/{id}', () => {
    it('answers 204 for a webhook with a delivery, leaves a webhook row with a ttl of over 44 days and no secrets, removes the routes, and sets the webhook count to 0', async () => {
      const { id } = await create({ headers: { 'x-a': 'b' }, basic_auth: { username: 'a', password: 'b' } });
      const { owner } = current.caller;
      await putDelivery(tables, { owner, webhookId: id, eventId: anEvent().id, createdAtMs: Date.now() });

      const { status, json: body } = await remove(id);

      expect([status, body]).toEqual([204, undefined]);
      const row = (await rowAt(webhookKey(current.caller.owner, id))) ?? {};
      expect(row).toMatchObject({ deleted_at: expect.any(String), secrets: [], version: 2 });
      expect(row).not.toHaveProperty('headers');
      expect(row).not.toHaveProperty('basic_auth');
      expect(row.ttl).toBeGreaterThan(Date.now() / 1000 + 44 * 86_400);
      expect(await routesOf('task.accepted')).toEqual([]);
      expect(await webhookCount()).toBe(0);
    });

    // Fixed bug: held deliveries of a deleted webhook stayed for ever, because nothing released them and held rows do not expire.
    it('submits a command that sets a held delivery of the webhook to cancelled, and no request is sent to the receiver', async () => {
      const { id } = await create({ enabled: false });
      const row = (await rowAt(webhookKey(current.caller.owner, id))) ?? {};
      const engine = createVirtualEngine(tables, () => ({ status: 200 }), { owner: current.caller.owner });
      const event = anEvent({ type: 'task.accepted' }, engine.now());
      await engine.publish(event);
      await engine.passUntil(engine.now() + 1000);
      const heldId = deliveryId(Date.parse(event.created_at), event.id, id);
      const before = await engine.delivery(heldId);

      await remove(id);
      const [command] = (await rows()).filter(({ kind }) => kind === 'command');
      await engine.fanOut([{ kind: 'command', command: commandSchema.parse(command) }]);
      await engine.passUntil(engine.now() + 1000);

      expect([row.enabled, before.status]).toEqual([false, 'held']);
      expect((await engine.delivery(heldId)).status).toBe('cancelled');
      expect(engine.posts).toHaveLength(0);
    });

    it('afterwards, DELETE, GET and PATCH for the webhook answer 404', async () => {
      const { id } = await create();
      await remove(id);

      expect((await remove(id)).status).toBe(404);
      expect((await get(id)).status).toBe(404);
      expect((await patch(id, { enabled: true })).status).toBe(404);
      expect(await webhookCount()).toBe(0);
    });

    it('answers 204 to one of three simultaneous calls and 404 to the other two, and the webhook count is 0', async () => {
      const { id } = await create();

      const answers = await Promise.all([remove(id), remove(id), remove(id)]);

      expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 404, 404]);
      expect(await webhookCount()).toBe(0);
    });
  });
});
