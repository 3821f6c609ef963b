import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSchemaChecker } from '../../../lambdas/adapters/events/json-schema.ts';

const endless = { properties: { a: { pattern: '^(a+)+$' } } };

interface Generated {
  readonly scope: { readonly _values: Readonly<Record<string, ReadonlyMap<unknown, unknown>>> };
}
const isValidator = (value: unknown): value is { errors?: unknown } => typeof value === 'function' && 'errors' in value;

/** Counts the calls of `countError`, which Ajv's generated code makes for each error that it creates. */
const countErrors = (): (() => number) => {
  const { assign } = Object;
  const spy = vi.spyOn(Object, 'assign');
  onTestFinished(() => spy.mockRestore());
  let count = 0;
  spy.mockImplementation((target: object, ...sources: { countError?: (error: unknown) => void }[]) => {
    const wrapped = sources.map((source) => {
      const { countError } = source ?? {};
      if (!countError) return source;
      return {
        countError: (error: unknown) => {
          count++;
          countError(error);
        },
      };
    });
    return assign(target, ...wrapped);
  });
  return () => count;
};

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
      'the path data.constructor for a missing member “constructor”, although JavaScript objects inherit one',
      { required: ['constructor'] },
      {},
      ['data.constructor'],
    ],
    [
      'no fault for amounts of money with multipleOf 0.01, such as 19.99 and 4.35',
      { items: { multipleOf: 0.01 } },
      [19.99, 0.07, 4.35, 1e21, -1.1, 0, 1234567.89],
      [],
    ],
    ['the path data.0 for a tenth of a cent', { items: { multipleOf: 0.01 } }, [19.999], ['data.0']],
    ['the path data.0 for a number below the unit', { items: { multipleOf: 1e10 } }, [1], ['data.0']],
    ['the path data for a number that is no multiple of 3', { multipleOf: 3 }, 7, ['data']],
    ['no fault of a multiple of 1e-7', { multipleOf: 1e-7 }, 3e-7, []],
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

  // 200 missing members in each of 5,000 items once took 5 s and half a gigabyte.
  describe('with a schema of 200 required names in an array and a value of 5,000 empty items', () => {
    const names = Array.from({ length: 200 }, (_, i) => `m${i}`);
    const items = { items: { required: names } };
    const value = Array(5000).fill({});
    const firstFaults = names.slice(0, 20).map((name) => `data.0.${name}`);

    it('reports the first 20 faults', async () => {
      expect(await pathsOf(items, value)).toEqual(firstFaults);
    });

    it('creates only 20 errors', async () => {
      const added = countErrors();

      await createSchemaChecker().faultsOfValue(JSON.stringify(items), JSON.stringify(value), 'data', { leftMs: 5000 });

      expect(added()).toBe(20);
    });

    it('reports only the first fault after 1,000 errors if the schema has anyOf, whose errors may not count', async () => {
      const added = countErrors();

      expect(await pathsOf({ ...items, anyOf: [{ type: 'string' }, { type: 'array' }] }, value)).toEqual(['data.0.m0']);
      expect(added()).toBe(1000);
    });
  });

  it('reports no fault of 5,000 items that match the second of two schemas of anyOf', async () => {
    const either = { items: { anyOf: [{ required: ['a', 'b'] }, { type: 'object' }] } };

    expect(await pathsOf(either, Array(5000).fill({}))).toEqual([]);
    expect(await pathsOf(either, [{}, 'x'])).toEqual([]);
    expect((await pathsOf({ items: { anyOf: [{ minimum: 2 }, { type: 'object' }] } }, [{}, 1])).at(-1)).toBe('data.1');
  });

  it('reports too_complex for a valid value of 4 MB with 0 ms left, because the time limit includes the parsing of the value', async () => {
    await check({ type: 'array' }, []);

    const [fault] = await check({ type: 'array' }, Array(1_000_000).fill('x'), { leftMs: 0 });

    expect(fault).toMatchObject({ path: 'data', code: 'too_complex' });
  });

  it.each([
    ['a valid value', { items: { $ref: '#/$defs/x' } }, []],
    ['a wrong value', { items: { $ref: '#/$defs/x' } }, [{}, {}]],
    [
      'a check that the time limit interrupted',
      { items: { $ref: '#/$defs/x' }, pattern: '^(a+)+$' },
      `${'a'.repeat(60)}!`,
    ],
  ])('keeps no errors on the cached validators after %s', async (_, schema, value) => {
    const compile = vi.spyOn(Ajv2020.prototype, 'compile');
    onTestFinished(() => compile.mockRestore());

    await createSchemaChecker().faultsOfValue(
      JSON.stringify({ ...schema, $defs: { x: { required: ['a'], properties: { b: { $ref: '#/$defs/x' } } } } }),
      JSON.stringify(value),
      'data',
      { leftMs: 5000 },
    );

    const scopes = compile.mock.contexts.map((ajv) => Object.values((ajv as unknown as Generated).scope._values));
    const validators = scopes.flatMap((values) => values.flatMap((byKey) => [...byKey.keys()])).filter(isValidator);
    expect(compile).toHaveBeenCalled();
    for (const { errors } of [...validators, ...compile.mock.results.map(({ value: validate }) => validate)]) {
      expect(errors ?? null).toBeNull();
    }
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
