import { describe, expect, test } from 'vitest';
import { callApi } from '../helpers/api-call.ts';
import { handlerWith, id, key, post } from '../helpers/things-api.ts';

describe('validation of a request', () => {
  test.each([
    ['400 to a body that is not JSON', '{"name":', 400],
    ['400 to an empty body', '', 400],
    ['400 to a body that is not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400],
    ['413 to a body above 256 KiB', JSON.stringify({ name: 'x'.repeat(256 * 1024) }), 413],
    ['413 to a body above 256 KiB in bytes, but not in characters', `{"name":"${'å'.repeat(131_070)}"}`, 413],
    [
      '422 to a body with 100,000 nested lists',
      `{"name":"x","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      422,
    ],
    ['422 to a body with a number above the range of doubles', '{"name":"x","data":1e999}', 422],
    [
      '422 to a body with a whole number that would lose digits',
      '{"name":"x","data":{"id":12345678901234567891}}',
      422,
    ],
    ['422 to a body with a lone surrogate', '{"name":"\\ud800"}', 422],
    ['422 to a body with a lone surrogate in a member name', '{"name":"x","data":{"\\udc00":1}}', 422],
    ['422 to a body with NUL in a text', '{"name":"\\u0000"}', 422],
    ['422 to a body that is null', 'null', 422],
    ['422 to a body that is a list', '[]', 422],
    ['422 to a body that is a text', '"x"', 422],
    ['422 to a body with the member __proto__', '{"name":"x","__proto__":{"city":"x"}}', 422],
    ['422 to a body with the member constructor', '{"name":"x","constructor":{"prototype":{}}}', 422],
  ])('answers %s, and does not perform the call', async (_, body, expected) => {
    const { status, json, seen } = await post({ body });

    expect(status).toBe(expected);
    expect(json.type).toMatch(/^\/problems\//);
    expect(seen).toEqual([]);
  });

  test('accepts each number that is sent with the same digits in another notation', async () => {
    const body =
      '{"name":"x","data":[9007199254740992,100000000000000000000,1e20,-1E+300,3.141592653589793,1.50,5e-324]}';

    const { status, seen } = await post({ body });

    expect(status).toBe(200);
    expect(seen[0]?.body).toMatchObject({ data: [2 ** 53, 1e20, 1e20, -1e300, Math.PI, 1.5, 5e-324] });
  });

  // A fraction lost digits, and 2^60 arrived as 1152921504606847000, because only a change of the value was refused.
  test.each([
    ['12345678901234567891', 'too_big'],
    ['1152921504606846976', 'too_big'],
    ['-9007199254740993', 'too_big'],
    ['1e999', 'too_big'],
    ['3.14159265358979323846', 'too_precise'],
    ['0.1000000000000000055511151231257827', 'too_precise'],
    ['1234567890123456.78', 'too_precise'],
    ['9007199254740993.0', 'too_precise'],
    ['12345678901234567891e-10', 'too_precise'],
    ['1.0000000000000000001e5', 'too_precise'],
    ['1e-400', 'too_precise'],
  ])('refuses the number %s, which would lose digits, with the code %s and its path', async (written, code) => {
    const { status, json, seen } = await post({ body: `{"name":"x","data":{"list":[1,{"n":${written}}]}}` });

    expect(status).toBe(422);
    expect(json.errors).toEqual([{ path: 'data.list.1.n', code, message: expect.stringContaining('as a text') }]);
    expect(seen).toEqual([]);
  });

  test.each([
    ['of the body', '{"name":"x","data":1,"name":"y"}', 'name'],
    ['of an object in a list', '{"name":"x","data":[{"a":1},{"b":{"c":1,"d":[{}],"c":1}}]}', 'data.1.b.c'],
    ['written with an escape', '{"name":"x","data":{"a":1,"\\u0061":2}}', 'data.a'],
    ['with a quote in its name', '{"name":"x","data":{"a\\"b\\\\":1,"a\\"b\\\\":2}}', 'data.a"b\\'],
    ['__proto__', '{"name":"x","data":{"__proto__":1,"__proto__":2}}', 'data.__proto__'],
  ])('answers 400 to a repeated member %s, and names it', async (_, body, path) => {
    const { status, json, seen } = await post({ body });

    expect(status).toBe(400);
    expect(json.type).toBe('/problems/malformed');
    expect(json.errors).toEqual([{ path, code: 'repeated', message: 'Given more than once.' }]);
    expect(seen).toEqual([]);
  });

  test('accepts members of the same name in different objects, and names, texts and numbers that look like JSON', async () => {
    const data = { a: { a: 1, 'b,"': '{"a":1,"a":2}' }, list: [{ a: 1 }, { a: '\\"' }, '12345678901234567891', ''] };

    const { status, seen } = await post({ body: JSON.stringify({ name: 'a', data }, null, 2) });

    expect(status).toBe(200);
    expect(seen[0]?.body).toMatchObject({ data });
  });

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json; charset=latin1', 415],
    ['', 415],
    ['application/json; charset=UTF-8', 200],
    ['Application/JSON;charset="utf-8"', 200],
    ['application/vnd.api+json', 200],
    ['application/json;profile="https://x.example/a;b=\\"c\\"";CHARSET="UTF-8" ; v=1;', 200],
    ['  APPLICATION/JSON ;  version=2', 200],
    ['application/json; charset=utf-8; charset=latin1', 415],
    ['application/json; v', 415],
    ['application/jsonp', 415],
  ])('a POST with the content type %j gets the status %i', async (type, expected) => {
    const { status } = await post({ body: { name: 'x' }, headers: { 'content-type': type } });

    expect(status).toBe(expected);
  });

  test.each([
    ['gzip', 415],
    ['br, gzip', 415],
    ['Identity', 200],
    ['', 200],
  ])(
    'a POST with the content encoding %j gets the status %i; a 415 names the encoding and accept-encoding',
    async (encoding, expected) => {
      const { status, json, headers } = await post({ body: { name: 'x' }, headers: { 'content-encoding': encoding } });

      expect(status).toBe(expected);
      if (expected === 415) {
        expect(json.detail).toContain(`Content-Encoding ${encoding} is not accepted`);
        expect(headers['accept-encoding']).toBe('identity');
      }
    },
  );

  test('a content type of 100,000 semicolons and spaces is refused within a second', async () => {
    const startedAtMs = performance.now();

    const { status } = await post({ body: { name: 'x' }, headers: { 'content-type': `a/b${' ; '.repeat(100_000)}=` } });

    expect(status).toBe(415);
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
  });

  test('names the faults of query, body, number and Idempotency-Key in one answer', async () => {
    const body = '{"nmae":"x","kind":"c","place":{"cty":1},"data":1e999}';

    const { status, json } = await post({ body, query: 'sise=1', headers: { 'idempotency-key': 'a b' } });

    expect(status).toBe(422);
    expect(json.errors.map(({ path, code }: { path: string; code: string }) => [path, code])).toEqual([
      ['sise', 'unknown_field'],
      ['data', 'too_big'],
      ['name', 'required'],
      ['place.city', 'required'],
      ['place.cty', 'unknown_field'],
      ['kind', 'invalid_value'],
      ['nmae', 'unknown_field'],
      ['Idempotency-Key', 'invalid_format'],
    ]);
  });

  test('suggests the near name of a mistyped field, parameter or word, and none for another name', async () => {
    const { json } = await post({ body: { nmae: 'x', place: { City: 'x' }, colour: 1, kind: 'q' } });
    const query = await callApi(handlerWith().handler, 'GET', '/things', { key, query: 'siez=1' });

    const messages = Object.fromEntries(
      [...json.errors, ...query.json.errors].map(({ path, message }: { path: string; message: string }) => [
        path,
        message,
      ]),
    );
    expect(messages).toMatchObject({
      nmae: 'Unknown field. Did you mean `name`?',
      'place.City': 'Unknown field. Did you mean `city`?',
      colour: 'Unknown field.',
      kind: 'must be one of a, b',
      siez: 'Unknown field. Did you mean `size`?',
    });
  });

  test('says in plain words what is wrong with a value', async () => {
    const { json } = await post({ body: { name: '', place: [], kind: 1.5 } });

    expect(json.errors.map(({ message }: { message: string }) => message)).toEqual([
      'must have at least 1 character',
      'must be an object, not a list',
      'must be one of a, b',
    ]);
  });

  test('accepts a body that the gateway gives in base64, and decodes it as UTF-8', async () => {
    const { status, seen } = await post({ body: Buffer.from('{"name":"blåbær"}') });

    expect(status).toBe(200);
    expect(seen[0]?.body).toMatchObject({ name: 'blåbær' });
  });

  test('names each of five wrong fields with its path and code', async () => {
    const { json } = await post({ body: { place: { city: 1, street: 'x' }, kind: 'c', colour: 'red' } });

    expect(json.errors.map(({ path, code }: { path: string; code: string }) => [path, code])).toEqual([
      ['name', 'required'],
      ['place.city', 'invalid_type'],
      ['place.street', 'unknown_field'],
      ['kind', 'invalid_value'],
      ['colour', 'unknown_field'],
    ]);
  });

  // Without the limit, a body of wrong fields produced a response above Lambda's 6 MB.
  test('names 100 of 5,000 wrong fields, and cuts a name of 40,000 characters to 1,001', async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`field-${i}`, 1]));

    const { json, text } = await post({ body: { ['long'.repeat(10_000)]: 1, ...many } });

    expect(json.errors).toHaveLength(100);
    expect(json.errors.find(({ path }: { path: string }) => path.startsWith('longlong')).path).toHaveLength(1001);
    expect(text.length).toBeLessThan(20_000);
  });

  test.each([
    ['unknown=1', 'unknown'],
    ['size=1&size=2', 'size'],
    ['size=%FF', 'size'],
    ['%FF=1', '%FF'],
    ['size=%00', 'size'],
    ['__proto__=1', '__proto__'],
  ])('answers 422 to the query %s, names the parameter %s, and does not perform the call', async (query, named) => {
    const { handler, seen } = handlerWith();

    const { status, json } = await callApi(handler, 'GET', '/things', { key, query });

    expect(status).toBe(422);
    expect(json.errors[0].path).toBe(named);
    expect(seen).toEqual([]);
  });

  test.each([
    ['that is empty', ''],
    ['with a space', 'with space'],
    ['of 256 characters', 'x'.repeat(256)],
    ['with ø', 'smørbrød'],
  ])('answers 422 to an Idempotency-Key %s', async (_, text) => {
    const { status, json } = await post({ body: { name: 'x' }, headers: { 'idempotency-key': text } });

    expect(status).toBe(422);
    expect(json.errors[0].path).toBe('Idempotency-Key');
  });

  test('gives bodies with another order of members the same content hash, and a body with another order in a list another hash', async () => {
    const one = await post({ body: '{"name":"x","data":{"a":1,"b":[1,2]}}' });
    const same = await post({ body: '{"data":{"b":[1,2],"a":1.0},"name":"x"}' });
    const other = await post({ body: '{"name":"x","data":{"a":1,"b":[2,1]}}' });

    expect(same.seen[0]?.contentHash).toBe(one.seen[0]?.contentHash);
    expect(other.seen[0]?.contentHash).not.toBe(one.seen[0]?.contentHash);
  });

  test('with an optional body, accepts an absent or empty body and answers 422 to an unknown field', async () => {
    const { handler } = handlerWith();

    const absent = await callApi(handler, 'POST', `/things/${id}/go`);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const empty = await callApi(handler, 'POST', `/things/${id}/go`, { body: '', headers: form });
    const wrong = await callApi(handler, 'POST', `/things/${id}/go`, { body: { x: 1 } });

    expect([absent.status, empty.status, wrong.status]).toEqual([200, 200, 422]);
    expect(wrong.json.errors).toEqual([{ path: 'x', code: 'unknown_field', message: 'Unknown field.' }]);
  });
});
