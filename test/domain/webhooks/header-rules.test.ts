import { expect, test } from 'vitest';
import { checkHeaders } from '../../../lambdas/domain/webhooks/header-rules.ts';
import { profiles } from '../../../lambdas/profiles/index.ts';

const reservedPrefixes = Object.values(profiles).flatMap(({ headerPrefixes }) => headerPrefixes);
const check = (headers: Record<string, string>, hasBasicAuth = false) =>
  checkHeaders(headers, { hasBasicAuth, reservedPrefixes });

test('checkHeaders accepts headers that a receiver may require', () => {
  const headers = {
    'X-Api-Key': 'k 1\t!',
    authorization: 'Bearer t',
    cookie: 'a=b',
    'x-empty': '',
    "x!#$%&'*+.^_`|~": '1',
  };

  expect(check(headers)).toEqual([]);
});

test.each([
  ...['Host', 'Content-Length', 'content-type', 'Transfer-Encoding', 'connection', 'TE', 'Expect', 'User-Agent'],
  ...['x-passpost-signature', 'Webhook-Id', 'passmint-signature', 'X-InPost-Topic', 'accept-encoding', 'upgrade'],
])('IP reading 7: rejects the reserved header %s', (name) => {
  expect(check({ [name]: 'x' })).toMatchObject([{ path: `headers.${name}`, code: 'reserved' }]);
});

test('checkHeaders rejects `authorization` if the webhook has Basic auth', () => {
  expect(check({ Authorization: 'Bearer t' }, true)).toMatchObject([
    { path: 'headers.Authorization', code: 'reserved' },
  ]);
});

test.each(['', ' x', 'x y', 'x:', 'x\r\ny', 'é', '(x)', 'x\u0000'])(
  'IP reading 7: rejects the header name %j',
  (name) => {
    expect(check({ [name]: 'v' })).toMatchObject([{ code: 'invalid_name' }]);
  },
);

test.each(['a\r\nx-b: c', 'a\nb', 'a\rb', 'a\u0000b', 'é', 'a\u007f', ' a', 'a ', '\ta'])(
  'checkHeaders rejects the header value %j',
  (value) => {
    const [error] = check({ 'x-a': value });

    expect(error).toMatchObject({ path: 'headers.x-a', code: 'invalid_value' });
  },
);

test('checkHeaders quotes no header value in its errors', () => {
  expect(JSON.stringify(check({ 'x-a': 's3cret\n', host: 's3cret' }))).not.toContain('s3cret');
});

test('checkHeaders names every wrong header', () => {
  const errors = check({ host: 'a', 'x-ok': 'b', 'x-bad': 'c\n', 'X-OK': 'd' });

  expect(errors.map(({ path, code }) => `${path} ${code}`)).toEqual([
    'headers.host reserved',
    'headers.x-bad invalid_value',
    'headers.X-OK duplicate',
  ]);
});

test('checkHeaders limits the number and the size of headers', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']));

  expect(check(many(20))).toEqual([]);
  expect(check(many(21))).toMatchObject([{ path: 'headers', code: 'too_many' }]);
  expect(check({ 'x-a': 'v'.repeat(4093) })).toEqual([]);
  expect(check({ 'x-a': 'v'.repeat(4094) })).toMatchObject([{ path: 'headers', code: 'too_long' }]);
});
