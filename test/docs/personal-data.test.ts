import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { operations } from '../../lambdas/contract/index.ts';
import { resourcesOf, synthesise } from '../helpers/synthesised.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/personal-data.md', root), 'utf8');
const keys = readFileSync(new URL('lambdas/adapters/rows/table-keys.ts', root), 'utf8');

/** The first cells of the table of the section "Where it is". */
const places = [
  ...(/## Where it is[\s\S]*?\n## /.exec(page)?.[0] ?? '').matchAll(/^\| (row: |messages: )?([^|]+) \|/gm),
];
const placesOf = (kind: string) => places.filter(([, prefix]) => prefix === kind).map(([, , names]) => names ?? '');

describe('docs/personal-data.md', () => {
  test('the table of places has every kind of row that table-keys.ts lists, each once, and no other', () => {
    const kinds = [...keys.matchAll(/^\/\/ {3}(.{16})\S/gm)].map(([, name = '']) => name.trim());
    const listed = placesOf('row: ').flatMap((names) => names.split(', '));

    expect(kinds.length).toBeGreaterThan(25);
    expect(listed.toSorted()).toEqual([...new Set(kinds)].toSorted());
  });

  test('the table of places names every queue of the stack', () => {
    const queues = Object.entries(resourcesOf(synthesise({ stage: 'production' })))
      .filter(([, { Type }]) => Type === 'AWS::SQS::Queue')
      .map(([logicalId]) => logicalId.replace(/[0-9A-F]{8}$/, ''));
    const listed = placesOf('messages: ').flatMap((names) => names.match(/[\w-]+(?=`)/g) ?? []);

    const endsWith = (name: string) => queues.some((queue) => queue.endsWith(name.replaceAll('-', '')));
    expect(listed.filter((name) => !endsWith(name))).toEqual([]);
    expect(new Set(listed).size).toBe(queues.length);
  });

  test('names every call of the API that deletes or erases something, except the calls of other APIs and of secrets', () => {
    const erasing = operations.filter(({ method, path }) => method === 'DELETE' && path.startsWith('/api/public/v1'));
    const named = erasing.filter(({ path }) => page.includes(path.slice('/api/public/v1'.length)));

    expect(named.map(({ id }) => id).toSorted()).toEqual(erasing.map(({ id }) => id).toSorted());
  });
});
