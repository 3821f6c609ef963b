import { describe, expect, it } from 'vitest';
import { createSchemaChecker } from '../../../lambdas/adapters/events/json-schema.ts';

const endless = { properties: { a: { pattern: '^(a+)+$' } } };

describe('the JSON Schema checker', () => {
  const checker = createSchemaChecker();
  const check = (schema: object, value: unknown, time = { leftMs: 5000 }) =>
    checker.faultsOfValue(JSON.stringify(schema), JSON.stringify(value), 'data', time);
  const pathsOf = async (schema: object, value: unknown) => (await check(schema, value)).map(({ path }) => path);

  it.each([
    ['the path data.a for a missing member', { required: ['a'] }, {}, ['data.a']],
    ['the path data.a/b~c for an unexpected member', { additionalProperties: false }, { 'a/b~c': 1 }, ['data.a/b~c']],
    [
      'the path data.a.1 for a wrong item of an array',
      { properties: { a: { items: { type: 'string' } } } },
      { a: ['x', 1] },
      ['data.a.1'],
    ],
    [
      'the path data.a.0 for a wrong item of a 2020-12 tuple',
      { properties: { a: { prefixItems: [{ type: 'string' }] } } },
      { a: [1] },
      ['data.a.0'],
    ],
    [
      'the path data.b for a member that 2020-12 calls unevaluated',
      { unevaluatedProperties: false },
      { b: 1 },
      ['data.b'],
    ],
    ['the path data.b for a missing dependent member', { dependentRequired: { a: ['b'] } }, { a: 1 }, ['data.b']],
    ['the path data for an object with too many members', { maxProperties: 0 }, { a: 1 }, ['data']],
    [
      'the path data.constructor for a missing member that every object inherits',
      { required: ['constructor'] },
      {},
      ['data.constructor'],
    ],
    ['no fault of a valid value', { required: ['a'] }, { a: 1 }, []],
    ['no fault of a value with a wrong format', { properties: { a: { format: 'email' } } }, { a: '' }, []],
  ])('reports %s', async (_, schema, value, paths) => {
    expect(await pathsOf(schema, value)).toEqual(paths);
  });

  // Without a limit the backtracking would practically never end.
  it('reports too_complex at data for a pattern that backtracks without end', async () => {
    const faults = await check(endless, { a: `${'a'.repeat(60)}!` });

    expect(faults).toEqual([expect.objectContaining({ path: 'data', code: 'too_complex' })]);
  });

  // A batch of a hundred checks of almost a second each once exceeded the timeout of the function.
  it('limits the time of all checks of a request together: 20 endless checks with 300 ms left end in less than 3 s', async () => {
    const time = { leftMs: 300 };
    const startedMs = performance.now();

    for (let i = 0; i < 20; i++) await check(endless, { a: `${'a'.repeat(60)}!` }, time);

    expect(time.leftMs).toBeLessThanOrEqual(0);
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });

  // Faults with paths of 100,000 characters each once filled the memory of the function.
  it('reports only the first of 60,000 faults of a long value, and both faults of a short value', async () => {
    const strings = { additionalProperties: { items: { type: 'string' } } };
    const long = 'k'.repeat(100_000);
    const value = { [`~${long}`]: Array(60_000).fill(1) };

    expect(await pathsOf(strings, value)).toEqual([`data.~${long}.0`]);
    expect(await pathsOf(strings, { a: [1, 2] })).toEqual(['data.a.0', 'data.a.1']);
  });

  it('checks a value by the given schema, even if an earlier schema had the same $id', async () => {
    const first = { $id: 'https://example.com/a', required: ['a'] };
    const second = { $id: 'https://example.com/a', required: ['b'] };

    expect(await pathsOf(first, {})).toEqual(['data.a']);
    expect(await pathsOf(second, {})).toEqual(['data.b']);
  });

  it('reports 20 of 500 faults', async () => {
    const value = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`m${i}`, i]));

    expect(await pathsOf({ additionalProperties: false }, value)).toHaveLength(20);
  });
});
