import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** Number of statements in each system's documentation, and number of readings that we chose. */
const counts = {
  PP: { statements: 10, readings: 11 },
  PM: { statements: 8, readings: 9 },
  MT: { statements: 12, readings: 12 },
  PC: { statements: 9, readings: 11 },
  IP: { statements: 9, readings: 9 },
};
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const numbers = Object.entries(counts).flatMap(([system, { statements, readings }]) => [
  ...upTo(statements).map((n) => `${system}-${n}`),
  ...upTo(readings).map((n) => `${system} reading ${n}`),
]);

const NUMBER = /\b(?:PP|PM|MT|PC|IP)(?:-| reading )\d+\b/g;

/** Every string of the test files that begins with such a number: a test's title, or the part of a title in a table of tests. */
const titles = readdirSync(new URL('.', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .flatMap((file) => {
    const strings = read(`test/${file}`).matchAll(/(['"`])((?:PP|PM|MT|PC|IP)(?:-| reading )\d(?:\\.|(?!\1).)*)\1/g);
    return [...strings].map(([, , title = '']) => ({ file: `test/${file}`, title }));
  });

interface Row {
  readonly number: string;
  readonly proofs: readonly { readonly file: string; readonly title: string }[];
}
const rows: readonly Row[] = [
  ...read('docs/compatibility.md').matchAll(/^\| ([A-Z]{2}(?:-| reading )\d+) \| .+ \| (.*) \|$/gm),
].map(([, number = '', cell = '']) => ({
  number,
  proofs: cell.split('<br>').map((proof) => {
    const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(proof) ?? [];
    return { file, title };
  }),
}));

describe('docs/compatibility.md', () => {
  it('has exactly one row for each numbered statement and each reading of the five systems, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(numbers);
  });

  it.each(rows)(
    'the row of $number quotes at least one test; each quoted title contains $number and exists in the quoted file',
    ({ number, proofs }) => {
      expect(proofs.length).toBeGreaterThan(0);
      for (const proof of proofs) {
        expect(titles).toContainEqual(proof);
        expect(proof.title.match(NUMBER)).toContain(number);
      }
    },
  );

  it('test titles contain no number of a statement or reading that should have no row here', () => {
    const unknown = titles.flatMap(({ file, title }) =>
      (title.match(NUMBER) ?? []).filter((number) => !numbers.includes(number)).map((number) => `${file}: ${number}`),
    );

    expect(unknown).toEqual([]);
  });
});
