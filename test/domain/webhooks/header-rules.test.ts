import { expect, test } from 'vitest';
import { checkHeaders } from '../../../lambdas/domain/webhooks/header-rules.ts';
import { profiles } from '../../../lambdas/profiles/index.ts';

const reservedPrefixes = Object.values(profiles).flatMap(({ headerPrefixes }) => headerPrefixes);
const check = (headers: Record<string, string>, hasBasicAuth = false) =>
  checkHeaders(headers, { hasBasicAuth, reservedPrefixes });

test('checkHeaders accepts x-api-key, authorization, cookie, an empty value and a name with every permitted symbol', () => {
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
])('IP reading 7: checkHeaders rejects the header %s with the code reserved', (name) => {
  expect(check({ [name]: 'x' })).toMatchObject([{ path: `headers.${name}`, code: 'reserved' }]);
});

test('checkHeaders rejects Authorization with the code reserved if the webhook has Basic auth', () => {
  expect(check({ Authorization: 'Bearer t' }, true)).toMatchObject([
    { path: 'headers.Authorization', code: 'reserved' },
  ]);
});

test.each(['', ' x', 'x y', 'x:', 'x\r\ny', 'é', '(x)', 'x\u0000'])(
  'IP reading 7: checkHeaders rejects the header name %j with the code invalid_name',
  (name) => {
    expect(check({ [name]: 'v' })).toMatchObject([{ code: 'invalid_name' }]);
  },
);

test.each([
  ...['a\r\nx-b: c', 'a\nb', 'a\rb', 'a\u0000b', 'é', ' a', 'a ', '\ta'].map((value) => [JSON.stringify(value), value]),
  ['"a" and the character U+007F', 'a\u007f'],
])('checkHeaders rejects the header value %s with the code invalid_value', (_, value = '') => {
  const [error] = check({ 'x-a': value });

  expect(error).toMatchObject({ path: 'headers.x-a', code: 'invalid_value' });
});

test('checkHeaders does not quote the values of a reserved and an invalid header in its errors', () => {
  expect(JSON.stringify(check({ 'x-a': 's3cret\n', host: 's3cret' }))).not.toContain('s3cret');
});

test('checkHeaders returns one error for each wrong header: reserved, invalid_value and duplicate', () => {
  const errors = check({ host: 'a', 'x-ok': 'b', 'x-bad': 'c\n', 'X-OK': 'd' });

  expect(errors.map(({ path, code }) => `${path} ${code}`)).toEqual([
    'headers.host reserved',
    'headers.x-bad invalid_value',
    'headers.X-OK duplicate',
  ]);
});

test('checkHeaders accepts 20 headers (not 21), and 4,096 bytes of names and values together (not 4,097)', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']));

  expect(check(many(20))).toEqual([]);
  expect(check(many(21))).toMatchObject([{ path: 'headers', code: 'too_many' }]);
  expect(check({ 'x-a': 'v'.repeat(4093) })).toEqual([]);
  expect(check({ 'x-a': 'v'.repeat(4094) })).toMatchObject([{ path: 'headers', code: 'too_long' }]);
});
