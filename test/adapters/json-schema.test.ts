import { describe, expect, it } from 'vitest';
import { createSchemaChecker } from '../../lambdas/adapters/json-schema.ts';

describe('a JSON Schema checker', () => {
  const checker = createSchemaChecker();
  const pathsOf = async (schema: object, value: unknown) =>
    (await checker.faultsOfValue(JSON.stringify(schema), value, 'data')).map(({ path }) => path);

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
    const schema = JSON.stringify({ properties: { a: { pattern: '^(a+)+$' } } });

    const faults = await checker.faultsOfValue(schema, { a: `${'a'.repeat(60)}!` }, 'data');

    expect(faults).toEqual([expect.objectContaining({ path: 'data', code: 'too_complex' })]);
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
