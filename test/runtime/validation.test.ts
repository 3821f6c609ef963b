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

  test('accepts whole numbers above 2^53 that a double holds exactly, and rounds a fraction of 20 digits', async () => {
    const body = '{"name":"x","data":[9007199254740992,100000000000000000000,1e20,-1e300,3.14159265358979323846]}';

    const { status, seen } = await post({ body });

    expect(status).toBe(200);
    expect(seen[0]?.body).toMatchObject({ data: [2 ** 53, 1e20, 1e20, -1e300, Math.PI] });
  });

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json; charset=latin1', 415],
    ['', 415],
    ['application/json; charset=UTF-8', 200],
    ['Application/JSON;charset="utf-8"', 200],
    ['application/vnd.api+json', 200],
  ])('a POST with the content type %j gets the status %i', async (type, expected) => {
    const { status } = await post({ body: { name: 'x' }, headers: { 'content-type': type } });

    expect(status).toBe(expected);
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
    ['size=%FF', '%FF'],
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
