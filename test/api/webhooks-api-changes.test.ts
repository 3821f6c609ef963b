import { describe, expect, it } from 'vitest';
import { webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { commandSchema } from '../../lambdas/domain/deliveries/command.ts';
import { catalogue } from '../../lambdas/domain/events/built-in-types.ts';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, createVirtualEngine } from '../helpers/virtual-engine.ts';
import { useWebhooksApi } from '../helpers/webhooks-api.ts';

describe('the webhooks-api function changing', () => {
  const tables = useTables();
  const { current, create, patch, get, remove, rowAt, rows, wanting, count, set } = useWebhooksApi(tables);

  describe('PATCH /webhooks/{id}', () => {
    it('changes what it names and clears what it nulls', async () => {
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

    it('moves the routes along', async () => {
      const { id } = await create({ events: ['task.accepted', 'task.delivered'] });
      const other = await create();

      await patch(id, { events: ['task.delivered', 'task.created'] });
      expect(await wanting('task.accepted')).toEqual([`${other.id}|`]);
      expect(await wanting('task.created')).toEqual([`${id}|`]);

      await patch(id, { resource: 'a|b', events: ['task.created', 'task.accepted'] });
      expect(await wanting('task.delivered')).toEqual([]);
      expect(await wanting('task.created')).toEqual([`${id}|a|b`]);
      expect((await wanting('task.accepted')).toSorted()).toEqual([`${id}|a|b`, `${other.id}|`].toSorted());

      await patch(id, { resource: null });
      expect(await wanting('task.created')).toEqual([`${id}|`]);
    });

    it('disables by hand, keeps an earlier reason, and asks on enabling that what is held goes on', async () => {
      const { id } = await create();
      const commands = async () => (await rows()).filter(({ kind }) => kind === 'command');

      expect((await patch(id, { enabled: false })).json).toMatchObject({
        status: 'disabled',
        disabled_reason: 'manual',
      });
      await set(webhookKey(current.me.owner, id), 'disabled_reason', 'gone');
      expect((await patch(id, { enabled: false })).json.disabled_reason).toBe('gone');
      expect(await commands()).toEqual([]);

      expect((await patch(id, { enabled: true })).json).toMatchObject({ status: 'enabled', disabled_reason: null });
      expect(await commands()).toMatchObject([{ type: 'release', webhook_id: id, owner: current.me.owner }]);
      await patch(id, { enabled: true });
      expect(await commands()).toHaveLength(1);
    });

    const types = catalogue.slice(0, 20).map(({ name }) => name);
    const cases: [string, object, string[]][] = [
      ['the profile', { profile: 'standard' }, ['profile']],
      ['the secret', { secret: 'another-secret' }, ['secret']],
      ['what it is not told', { id: 'whk_1', status: 'enabled' }, ['id', 'status']],
      ['to another network', { url: 'https://192.168.1.1/' }, ['url']],
      ['to unknown events', { events: ['task.created', 'x'] }, ['events.1']],
      ['to nothing at all', { url: null, events: null, enabled: null }, ['enabled', 'events', 'url']],
      ['to stars', { headers: { 'x-a': '***' } }, ['headers.x-a']],
      ['to another version', { api_version: 'x' }, ['api_version']],
      ['to unknown options', { profile_options: { a: 1 } }, ['profile_options.a']],
      ['to a long resource for many types', { events: types, resource: 'x'.repeat(200) }, ['resource']],
      ['to odd options', { profile_options: JSON.parse('{"__proto__":{}}') }, ['profile_options.__proto__']],
      ['to odd headers', { headers: JSON.parse('{"__proto__":"x"}') }, ['headers.__proto__']],
    ];
    it.each(cases)('refuses to change %s', async (_, body, paths) => {
      const { id } = await create();
      const before = await rows();

      const { status, json: problem } = await patch(id, body);

      expect(status).toBe(422);
      expect(problem.errors.map((error: { path: string }) => error.path).toSorted()).toEqual(paths);
      expect(await rows()).toEqual(before);
    });

    // The former release bounded no resource by the number of types.
    it('leaves alone a resource that was taken when longer ones were', async () => {
      const { id } = await create({ events: types });
      await set(webhookKey(current.me.owner, id), 'resource', 'x'.repeat(200));

      const plain = await patch(id, { description: 'as before' });
      const same = await patch(id, { events: types });

      expect([plain.status, same.status]).toEqual([200, 422]);
    });

    it('looks at the address again when plain http is no longer allowed', async () => {
      const { id } = await create({ url: 'http://93.184.215.14/', allow_http: true });

      const refused = await patch(id, { allow_http: false });

      expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'url', code: 'https_required' }] } });
    });

    it('refuses Basic authentication beside a header that stays', async () => {
      const { id } = await create({ headers: { Authorization: 'Bearer x' } });

      const refused = await patch(id, { basic_auth: { username: 'a', password: 'b' } });

      expect(refused).toMatchObject({ status: 422, json: { errors: [{ path: 'basic_auth' }] } });
    });

    it('loses no change of several at once', async () => {
      const { id } = await create();

      const answers = await Promise.all([
        patch(id, { description: 'x' }),
        patch(id, { timeout_seconds: 5 }),
        patch(id, { resource: 'r' }),
      ]);

      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect((await get(id)).json).toMatchObject({ description: 'x', timeout_seconds: 5, resource: 'r' });
      expect(await wanting('task.accepted')).toEqual([`${id}|r`]);
    });
  });

  describe('DELETE /webhooks/{id}', () => {
    it('leaves a tombstone without secrets, takes the routes out and counts down', async () => {
      const { id } = await create({ headers: { 'x-a': 'b' }, basic_auth: { username: 'a', password: 'b' } });

      const { status, json: body } = await remove(id);

      expect([status, body]).toEqual([204, undefined]);
      const row = (await rowAt(webhookKey(current.me.owner, id))) ?? {};
      expect(row).toMatchObject({ deleted_at: expect.any(String), secrets: [], version: 2 });
      expect(row).not.toHaveProperty('headers');
      expect(row).not.toHaveProperty('basic_auth');
      expect(row.ttl).toBeGreaterThan(Date.now() / 1000 + 44 * 86_400);
      expect(await wanting('task.accepted')).toEqual([]);
      expect(await count()).toBe(0);
    });

    // They stood there for ever: held, nothing came to them any more, and what is owed has no end.
    it('lets go on, to be cancelled, what was held', async () => {
      const { id } = await create({ enabled: false });
      const row = (await rowAt(webhookKey(current.me.owner, id))) ?? {};
      const engine = createVirtualEngine(tables, () => ({ status: 200 }), { owner: current.me.owner });
      const event = anEvent({ type: 'task.accepted' }, engine.now());
      await engine.publish(event);
      await engine.passUntil(engine.now() + 1000);
      const held = deliveryId(Date.parse(event.created_at), event.id, id);
      const before = await engine.delivery(held);

      await remove(id);
      const [command] = (await rows()).filter(({ kind }) => kind === 'command');
      await engine.fanOut([{ kind: 'command', command: commandSchema.parse(command) }]);
      await engine.passUntil(engine.now() + 1000);

      expect([row.enabled, before.status]).toEqual([false, 'held']);
      expect((await engine.delivery(held)).status).toBe('cancelled');
      expect(engine.posts).toHaveLength(0);
    });

    it('answers 404 from then on', async () => {
      const { id } = await create();
      await remove(id);

      expect((await remove(id)).status).toBe(404);
      expect((await get(id)).status).toBe(404);
      expect((await patch(id, { enabled: true })).status).toBe(404);
      expect(await count()).toBe(0);
    });

    it('lets one of concurrent deletions through', async () => {
      const { id } = await create();

      const answers = await Promise.all([remove(id), remove(id), remove(id)]);

      expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 404, 404]);
      expect(await count()).toBe(0);
    });
  });
});
