import { describe, expect, it } from 'vitest';
import { catalogue } from '../../lambdas/domain/events/built-in-types.ts';
import { useTables } from '../helpers/tables.ts';
import { plain, useWebhooksApi } from '../helpers/webhooks-api.ts';

/** As JSON has it: a member like any other. */
const odd = (value: unknown): object => JSON.parse(JSON.stringify({ odd: value }).replace('odd', '__proto__'));

describe('the webhooks-api function refusing', () => {
  const tables = useTables();
  const { api, current, post, rows } = useWebhooksApi(tables);

  describe('refuses by name, and writes nothing', () => {
    const long = 'x'.repeat(2050);
    const types = catalogue.slice(0, 20).map(({ name }) => name);
    const many = Array.from({ length: 41 }, (_, index) => `t.${index}`);
    const cases: [string, unknown, string[]][] = [
      ['nothing at all', {}, ['events', 'url']],
      ['null', null, ['']],
      ['a list', [], ['']],
      ['an unknown field', { ...plain, colour: 1 }, ['colour']],
      ['a url of another kind', { ...plain, url: 7 }, ['url']],
      ['a url that is none', { ...plain, url: 'nowhere' }, ['url']],
      ['a long url', { ...plain, url: `https://a.example.com/${long}` }, ['url']],
      ['plain http', { ...plain, url: 'http://a.example.com/' }, ['url']],
      ['a private address', { ...plain, url: 'https://10.0.0.1/' }, ['url']],
      ['this machine', { ...plain, url: 'https://localhost/' }, ['url']],
      ['our own host', { ...plain, url: 'https://api.example.com/' }, ['url']],
      ['user info', { ...plain, url: 'https://a:b@a.example.com/' }, ['url']],
      ['no event', { ...plain, events: [] }, ['events']],
      ['events that are no list', { ...plain, events: '*' }, ['events']],
      ['unknown events', { ...plain, events: ['*', 'task.accepted', 'nope', 'constructor'] }, ['events.2', 'events.3']],
      ['too many events', { ...plain, events: many }, [...many.map((_, index) => `events.${index}`), 'events']],
      ['an empty resource', { ...plain, resource: '' }, ['resource']],
      ['a resource of many bytes', { ...plain, resource: '🛂'.repeat(100) }, ['resource']],
      ['a long resource for many types', { ...plain, events: types, resource: 'x'.repeat(200) }, ['resource']],
      ['a long description', { ...plain, description: 'x'.repeat(501) }, ['description']],
      ['enabled as text', { ...plain, enabled: 'yes' }, ['enabled']],
      ['an unknown profile', { ...plain, profile: '__proto__' }, ['profile']],
      ['options the profile has not', { ...plain, profile_options: { hash: 'md5' } }, ['profile_options.hash']],
      ['options that are no object', { ...plain, profile_options: [] }, ['profile_options']],
      ['an unknown schedule', { ...plain, schedule: 'never' }, ['schedule']],
      ['too many waits', { ...plain, schedule: Array(21).fill(1) }, ['schedule']],
      ['a negative wait', { ...plain, schedule: [1, -1] }, ['schedule.1']],
      ['half a second', { ...plain, schedule: [0.5] }, ['schedule.0']],
      ['waits of a month', { ...plain, schedule: Array(4).fill(604_800) }, ['schedule']],
      ['no timeout', { ...plain, timeout_seconds: 0 }, ['timeout_seconds']],
      ['a long timeout', { ...plain, timeout_seconds: 31 }, ['timeout_seconds']],
      [
        'a colon in the user name',
        { ...plain, basic_auth: { username: 'a:b', password: 'c' } },
        ['basic_auth.username'],
      ],
      ['no password', { ...plain, basic_auth: { username: 'a' } }, ['basic_auth.password']],
      ['stars for a password', { ...plain, basic_auth: { username: 'a', password: '***' } }, ['basic_auth.password']],
      ['a forbidden header', { ...plain, headers: { Host: 'x' } }, ['headers.Host']],
      ['a header of two lines', { ...plain, headers: { 'x-a': 'b\r\nc: d' } }, ['headers.x-a']],
      ['a header that is no text', { ...plain, headers: { 'x-a': 1 } }, ['headers.x-a']],
      // Both were taken without it, and nobody was told.
      ['a header called __proto__', { ...plain, headers: odd('x') }, ['headers.__proto__']],
      ['an option called __proto__', { ...plain, profile_options: odd({}) }, ['profile_options.__proto__']],
      [
        'authorization twice',
        { ...plain, headers: { authorization: 'x' }, basic_auth: { username: 'a', password: 'b' } },
        ['headers.authorization'],
      ],
      ['an unknown version', { ...plain, api_version: '2020-01-01' }, ['api_version']],
      ['a short secret', { ...plain, secret: 'short' }, ['secret']],
      ['a long secret', { ...plain, secret: 'x'.repeat(257) }, ['secret']],
      [
        'limits out of range',
        { ...plain, max_per_second: 0, max_in_flight: 101, auto_disable_after_hours: 721 },
        ['auto_disable_after_hours', 'max_in_flight', 'max_per_second'],
      ],
      [
        'several wrong fields',
        { ...plain, url: 'https://10.0.0.1/', events: ['nope'], schedule: 'never', api_version: '1', secret: 'x' },
        ['api_version', 'events.0', 'schedule', 'secret', 'url'],
      ],
    ];

    it.each(cases)('%s', async (_, body, paths) => {
      const { status, json: problem } = await post(body);

      expect(status).toBe(422);
      expect(problem.errors.map((error: { path: string }) => error.path).toSorted()).toEqual(paths.toSorted());
      expect(await rows()).toEqual([]);
    });

    it.each(['{"url"', '', '{"url":"\u0000"}'])('a malformed body: %j', async (body) => {
      const { status } = await api('POST', '/webhooks', current.me, {
        body,
        headers: { 'content-type': 'application/json' },
      });

      expect(status).toBe(400);
      expect(await rows()).toEqual([]);
    });
  });
});
