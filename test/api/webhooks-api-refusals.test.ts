import { describe, expect, it } from 'vitest';
import { catalogue } from '../../lambdas/domain/events/built-in-types.ts';
import { useTables } from '../helpers/tables.ts';
import { minimalWebhook, useWebhooksApi } from '../helpers/webhooks-api.ts';

/** An object with an own member called `__proto__`, as JSON.parse creates it. */
const withProtoMember = (value: unknown): object =>
  JSON.parse(JSON.stringify({ member: value }).replace('member', '__proto__'));

describe('the webhooks-api function (refusals)', () => {
  const tables = useTables();
  const { api, current, post, rows } = useWebhooksApi(tables);

  describe('POST /webhooks with an invalid body', () => {
    const long = 'x'.repeat(2050);
    const types = catalogue.slice(0, 20).map(({ name }) => name);
    const many = Array.from({ length: 41 }, (_, index) => `t.${index}`);
    const cases: [string, unknown, string[]][] = [
      ['an empty object', {}, ['events', 'url']],
      ['the body null', null, ['']],
      ['a list as the body', [], ['']],
      ['an unknown field', { ...minimalWebhook, colour: 1 }, ['colour']],
      ['a url that is a number', { ...minimalWebhook, url: 7 }, ['url']],
      ['a url without a scheme', { ...minimalWebhook, url: 'nowhere' }, ['url']],
      ['a url of more than 2,048 characters', { ...minimalWebhook, url: `https://a.example.com/${long}` }, ['url']],
      ['a url with plain http', { ...minimalWebhook, url: 'http://a.example.com/' }, ['url']],
      ['a url with a private address', { ...minimalWebhook, url: 'https://10.0.0.1/' }, ['url']],
      ['a url with the host localhost', { ...minimalWebhook, url: 'https://localhost/' }, ['url']],
      ['a url with a broken % in its path', { ...minimalWebhook, url: 'https://93.184.215.14/100%' }, ['url']],
      ['a url with ø in its query', { ...minimalWebhook, url: 'https://93.184.215.14/?a=ø' }, ['url']],
      ["a url with PassPost's own host", { ...minimalWebhook, url: 'https://api.example.com/' }, ['url']],
      ['a url with user name and password', { ...minimalWebhook, url: 'https://a:b@a.example.com/' }, ['url']],
      ['an empty list of events', { ...minimalWebhook, events: [] }, ['events']],
      ['events that are a string', { ...minimalWebhook, events: '*' }, ['events']],
      [
        'unknown events',
        { ...minimalWebhook, events: ['*', 'task.accepted', 'nope', 'constructor'] },
        ['events.2', 'events.3'],
      ],
      [
        '41 unknown events',
        { ...minimalWebhook, events: many },
        [...many.map((_, index) => `events.${index}`), 'events'],
      ],
      ['an empty resource', { ...minimalWebhook, resource: '' }, ['resource']],
      ['a resource of 400 bytes', { ...minimalWebhook, resource: '🛂'.repeat(100) }, ['resource']],
      [
        'a resource of 200 characters with 20 event types',
        { ...minimalWebhook, events: types, resource: 'x'.repeat(200) },
        ['resource'],
      ],
      ['a description of 501 characters', { ...minimalWebhook, description: 'x'.repeat(501) }, ['description']],
      ['enabled as a string', { ...minimalWebhook, enabled: 'yes' }, ['enabled']],
      ['an unknown profile', { ...minimalWebhook, profile: '__proto__' }, ['profile']],
      ['an unknown profile option', { ...minimalWebhook, profile_options: { hash: 'md5' } }, ['profile_options.hash']],
      ['profile options that are a list', { ...minimalWebhook, profile_options: [] }, ['profile_options']],
      ['an unknown schedule', { ...minimalWebhook, schedule: 'never' }, ['schedule']],
      ['a schedule of 21 waits', { ...minimalWebhook, schedule: Array(21).fill(1) }, ['schedule']],
      ['a schedule with a negative wait', { ...minimalWebhook, schedule: [1, -1] }, ['schedule.1']],
      ['a schedule with a wait of half a second', { ...minimalWebhook, schedule: [0.5] }, ['schedule.0']],
      [
        'a schedule with a fourth wait of 0 s',
        { ...minimalWebhook, schedule: [0, 0, 0, 0, 1, 0] },
        ['schedule.3', 'schedule.5'],
      ],
      ['a schedule of four weeks', { ...minimalWebhook, schedule: Array(4).fill(604_800) }, ['schedule']],
      ['a timeout of 0 seconds', { ...minimalWebhook, timeout_seconds: 0 }, ['timeout_seconds']],
      ['a timeout of 31 seconds', { ...minimalWebhook, timeout_seconds: 31 }, ['timeout_seconds']],
      [
        'a colon in the user name of basic_auth',
        { ...minimalWebhook, basic_auth: { username: 'a:b', password: 'c' } },
        ['basic_auth.username'],
      ],
      ['basic_auth without a password', { ...minimalWebhook, basic_auth: { username: 'a' } }, ['basic_auth.password']],
      [
        'three stars as the password of basic_auth',
        { ...minimalWebhook, basic_auth: { username: 'a', password: '***' } },
        ['basic_auth.password'],
      ],
      ['the forbidden header Host', { ...minimalWebhook, headers: { Host: 'x' } }, ['headers.Host']],
      ['a header value with a line break', { ...minimalWebhook, headers: { 'x-a': 'b\r\nc: d' } }, ['headers.x-a']],
      ['a header value that is a number', { ...minimalWebhook, headers: { 'x-a': 1 } }, ['headers.x-a']],
      // Fixed bug: the API accepted the next two bodies and silently dropped the member `__proto__`.
      ['a header called __proto__', { ...minimalWebhook, headers: withProtoMember('x') }, ['headers.__proto__']],
      [
        'a profile option called __proto__',
        { ...minimalWebhook, profile_options: withProtoMember({}) },
        ['profile_options.__proto__'],
      ],
      [
        'an authorization header together with basic_auth',
        { ...minimalWebhook, headers: { authorization: 'x' }, basic_auth: { username: 'a', password: 'b' } },
        ['headers.authorization'],
      ],
      ['an unknown api_version', { ...minimalWebhook, api_version: '2020-01-01' }, ['api_version']],
      ['a secret of 5 characters', { ...minimalWebhook, secret: 'short' }, ['secret']],
      ['a secret of 257 characters', { ...minimalWebhook, secret: 'x'.repeat(257) }, ['secret']],
      [
        'three limits out of range',
        { ...minimalWebhook, max_per_second: 0, max_in_flight: 101, auto_disable_after_hours: 721 },
        ['auto_disable_after_hours', 'max_in_flight', 'max_per_second'],
      ],
      [
        'several wrong fields',
        {
          ...minimalWebhook,
          url: 'https://10.0.0.1/',
          events: ['nope'],
          schedule: 'never',
          api_version: '1',
          secret: 'x',
        },
        ['api_version', 'events.0', 'schedule', 'secret', 'url'],
      ],
      // Fixed bug: the faults that the schema finds hid the faults of every other kind until the next request.
      [
        'wrong fields of every kind',
        {
          ...minimalWebhook,
          url: 'https://10.0.0.1/',
          events: ['nope'],
          enabled: 'yes',
          headers: { Host: 'x' },
          profile: 'nope',
          schedule: 'never',
          colour: 1,
        },
        ['colour', 'enabled', 'events.0', 'headers.Host', 'profile', 'schedule', 'url'],
      ],
      [
        'a resource too long for its 20 event types, a wrong option, a wrong secret and an unknown field',
        {
          ...minimalWebhook,
          events: types,
          resource: 'x'.repeat(200),
          profile_options: { a: 1 },
          secret: 'x',
          colour: 1,
        },
        ['colour', 'profile_options.a', 'resource', 'secret'],
      ],
    ];

    it.each(cases)('answers 422, names each wrong field and writes no row for %s', async (_, body, paths) => {
      const { status, json: problem } = await post(body);

      expect(status).toBe(422);
      expect(problem.errors.map((error: { path: string }) => error.path).toSorted()).toEqual(paths.toSorted());
      expect(await rows()).toEqual([]);
    });

    it.each([
      ['event', { event: ['*'] }, 'Unknown field. Did you mean `events`?'],
      [
        'events.0',
        { events: ['task.acepted'] },
        'is not in the catalogue of event types. Did you mean `task.accepted`?',
      ],
      ['profile', { profile: 'standart' }, /Did you mean `standard`\?$/],
      ['schedule', { schedule: 'inPost' }, 'must be the name of a profile. Did you mean `inpost`?'],
      ['schedule', { schedule: 'never' }, /profile$/],
    ])('the error at %s suggests the name that is nearest to the wrong value in %j', async (path, wrong, message) => {
      const { json } = await post({ ...minimalWebhook, ...wrong });

      const expected = typeof message === 'string' ? message : expect.stringMatching(message);
      expect(json.errors).toEqual([{ path, code: expect.any(String), message: expected }]);
    });

    it.each([
      ['JSON that ends too early', '{"url"'],
      ['an empty body', ''],
      ['JSON with a NUL character in a string', '{"url":"\u0000"}'],
    ])('answers 400 and writes no row for %s', async (_, body) => {
      const { status } = await api('POST', '/webhooks', current.caller, {
        body,
        headers: { 'content-type': 'application/json' },
      });

      expect(status).toBe(400);
      expect(await rows()).toEqual([]);
    });
  });
});
