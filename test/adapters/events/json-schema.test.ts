import { describe, expect, it } from 'vitest';
import { createSchemaChecker } from '../../../lambdas/adapters/events/json-schema.ts';

const endless = { properties: { a: { pattern: '^(a+)+$' } } };

describe('a JSON Schema checker', () => {
  const checker = createSchemaChecker();
  const check = (schema: object, value: unknown, time = { leftMs: 5000 }) =>
    checker.faultsOfValue(JSON.stringify(schema), JSON.stringify(value), 'data', time);
  const pathsOf = async (schema: object, value: unknown) => (await check(schema, value)).map(({ path }) => path);

  it.each([
    ['a member missing', { required: ['a'] }, {}, ['data.a']],
    ['a member too many', { additionalProperties: false }, { 'a/b~c': 1 }, ['data.a/b~c']],
    ['an item', { properties: { a: { items: { type: 'string' } } } }, { a: ['x', 1] }, ['data.a.1']],
    ['2020-12’s tuples', { properties: { a: { prefixItems: [{ type: 'string' }] } } }, { a: [1] }, ['data.a.0']],
    ['2020-12’s unevaluated', { unevaluatedProperties: false }, { b: 1 }, ['data.b']],
    ['what depends', { dependentRequired: { a: ['b'] } }, { a: 1 }, ['data.b']],
    ['the whole', { maxProperties: 0 }, { a: 1 }, ['data']],
    ['an inherited member', { required: ['constructor'] }, {}, ['data.constructor']],
    ['nothing', { required: ['a'] }, { a: 1 }, []],
    ['no format', { properties: { a: { format: 'email' } } }, { a: '' }, []],
  ])('names %s', async (_, schema, value, paths) => {
    expect(await pathsOf(schema, value)).toEqual(paths);
  });

  // Backtracking would take longer than the universe has.
  it('stops a pattern that does not end', async () => {
    const faults = await check(endless, { a: `${'a'.repeat(60)}!` });

    expect(faults).toEqual([expect.objectContaining({ path: 'data', code: 'too_complex' })]);
  });

  // A batch of a hundred, each of which took not quite a second, took longer than the function has.
  it('lets all checks of a request share one time', async () => {
    const time = { leftMs: 300 };
    const began = performance.now();

    for (let i = 0; i < 20; i++) await check(endless, { a: `${'a'.repeat(60)}!` }, time);

    expect(time.leftMs).toBeLessThanOrEqual(0);
    expect(performance.now() - began).toBeLessThan(3000);
  });

  // Every fault with a path of 120,000 characters: the function ran out of memory.
  it('looks for the first fault alone where the value is long', async () => {
    const strings = { additionalProperties: { items: { type: 'string' } } };
    const long = 'k'.repeat(100_000);
    const value = { [`~${long}`]: Array(60_000).fill(1) };

    expect(await pathsOf(strings, value)).toEqual([`data.~${long}.0`]);
    expect(await pathsOf(strings, { a: [1, 2] })).toEqual(['data.a.0', 'data.a.1']);
  });

  it('keeps schemas of the same name apart', async () => {
    const first = { $id: 'https://example.com/a', required: ['a'] };
    const second = { $id: 'https://example.com/a', required: ['b'] };

    expect(await pathsOf(first, {})).toEqual(['data.a']);
    expect(await pathsOf(second, {})).toEqual(['data.b']);
  });

  it('names at most twenty faults', async () => {
    const value = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`m${i}`, i]));

    expect(await pathsOf({ additionalProperties: false }, value)).toHaveLength(20);
  });
});
