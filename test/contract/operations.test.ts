import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { operations } from '../../lambdas/contract/index.ts';
import type { Operation, Route } from '../../lambdas/runtime/operation.ts';

/** Operations that the reference of the native API leaves out: PassMint and Passcreator have their own pages, and `/docs` serves pages. */
const otherSurfaces = ['passmint.ts', 'passcreator.ts'];
const pages = ['getDocs', 'getDocsAsset'];

const filesIn = (folder: string): readonly string[] =>
  readdirSync(new URL(`../../lambdas/${folder}`, import.meta.url)).filter((file) => file.endsWith('.ts'));

const exportsOf = async (folder: string, file: string): Promise<unknown[]> =>
  Object.values((await import(`../../lambdas/${folder}/${file.slice(0, -3)}.ts`)) as object);

const isOperation = (value: unknown): value is Operation =>
  typeof value === 'object' && value !== null && 'method' in value && 'path' in value && 'responses' in value;

const exported: { file: string; operation: Operation }[] = [];
for (const file of filesIn('contract')) {
  for (const operation of (await exportsOf('contract', file)).filter(isOperation)) exported.push({ file, operation });
}

/** Routes only store their dependencies until a request arrives, so empty objects are enough to build them. */
const served: Operation[] = [];
for (const file of filesIn('routes')) {
  const factories = (await exportsOf('routes', file)).filter((value) => typeof value === 'function');
  for (const factory of factories as ((...dependencies: object[]) => Route[])[]) {
    served.push(...factory({}, {}, {}).map(({ operation }) => operation));
  }
}

const idsOf = (list: readonly Operation[]): string[] => list.map(({ id }) => id).toSorted();

describe('the operations of the API', () => {
  test('`operations` has each operation that a contract file exports exactly once, except those of PassMint, Passcreator and /docs', () => {
    const expected = exported.filter(
      ({ file, operation }) => !otherSurfaces.includes(file) && !pages.includes(operation.id),
    );

    expect(idsOf(operations)).toEqual(idsOf(expected.map(({ operation }) => operation)));
  });

  test('each operation that a contract file exports has exactly one route', () => {
    expect(idsOf(served)).toEqual(idsOf(exported.map(({ operation }) => operation)));
  });
});
