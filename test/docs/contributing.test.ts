import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const page = read('CONTRIBUTING.md');

/** A file or folder in backticks, and the name in brackets that the file defines. */
const MENTION = /`((?:\.?[\w<>-]+\/)*[\w<>-]+(?:\.[\w-]+)*\.(?:ts|md|json)|(?:[\w<>-]+\/)+)`(?: \(`(\w+)`\))?/g;

/** Placeholders in paths: `<resource>`, and `parcels` or `parcel`, the example of a new resource. */
const PLACEHOLDER = /<\w+>|parcels?\b/;

const mentions = [...page.matchAll(MENTION)].map(([, path = '', name]) => ({ path, name }));
const existing = mentions.filter(({ path }) => !PLACEHOLDER.test(path));
const defined = existing.flatMap(({ path, name }) => (name ? [{ path, name }] : []));

const sources = ['lambdas', 'lib', 'local', 'ops'].flatMap((folder) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`),
);
const filesThatExport = (name: string): readonly string[] => {
  const exported = new RegExp(`^export (?:const|class|interface|type) ${name}\\b`, 'm');
  return sources.filter((file) => exported.test(read(file)));
};

/** The rows of the table below a heading, without its header. */
const rowsBelow = (heading: string): readonly string[] =>
  (page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => /^\| (?!-)/.test(line))
    .slice(1);

const roomsOf = (folder: string): readonly string[] =>
  readdirSync(new URL(folder, root), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );

describe('CONTRIBUTING.md', () => {
  it('names more than 50 files and folders without a placeholder, and all of them exist', () => {
    const missing = existing.filter(({ path }) => !existsSync(new URL(path, root))).map(({ path }) => path);

    expect(existing.length).toBeGreaterThan(50);
    expect(missing).toEqual([]);
  });

  it.each(defined)('names the only file of lambdas/, lib/, local/ and ops/ that exports $name', ({ path, name }) => {
    expect(filesThatExport(name)).toEqual([path]);
  });

  it('has ten rows in the table "The ten most likely changes"', () => {
    expect(rowsBelow('The ten most likely changes')).toHaveLength(10);
  });

  it('for each path with a placeholder (<resource>, parcels), the folder before the placeholder exists', () => {
    const folders = mentions
      .map(({ path }) => path.split(/<\w+>|parcels?\b/)[0] ?? '')
      .map((start) => start.slice(0, start.lastIndexOf('/') + 1));

    expect(folders.filter((folder) => !existsSync(new URL(folder, root)))).toEqual([]);
  });

  it('the section "A new resource of the API" says eight product files and numbers eight different files', () => {
    const section = page.split('\n### A new resource of the API\n')[1]?.split('\n## ')[0] ?? '';
    const files = [...section.matchAll(/^(\d)\. `([^`]+)`/gm)].map(([, , path]) => path);

    expect(section).toContain('Eight product files');
    expect(new Set(files).size).toBe(8);
  });

  it('the table "Rooms" names exactly the folders of lambdas/domain', () => {
    const named = rowsBelow('Rooms').flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([\w-]+)`/g)].map(([, room]) => room),
    );

    expect(named.toSorted()).toEqual(roomsOf('lambdas/domain').toSorted());
  });

  it('lambdas/adapters has the folders aws and rows', () => {
    expect(roomsOf('lambdas/adapters')).toEqual(expect.arrayContaining(['aws', 'rows']));
  });
});
