import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of this test run. `vitest.config.ts` chooses its path and removes it. */
    runFolder: string;
  }
}

const file = `${randomUUID()}.jsonl`;

/** Saves records of a test file for the tests in `test/verdicts`, which run last and check the whole run. */
export const saveForVerdicts = (kind: string, records: readonly unknown[]): void => {
  if (records.length === 0) return;
  const folder = join(inject('runFolder'), kind);
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, file), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
};

/** The saved records of one kind, one array per test file. */
export function* savedForVerdicts<T>(kind: string): Generator<readonly T[]> {
  const folder = join(inject('runFolder'), kind);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
    yield lines.map((line) => JSON.parse(line) as T);
  }
}

/** Marks a test file as part of the run. */
export const markTestFile = (testPath: string | undefined): void => saveForVerdicts('marks', [testPath ?? '']);

/** Whether every test file ran. Only after such a run is a call that no file recorded a call that is never made. */
export const isWholeRun = (): boolean => {
  const ran = new Set([...savedForVerdicts<string>('marks')].flat());
  const root = fileURLToPath(new URL('..', import.meta.url));
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.startsWith('verdicts'))
    .every((name) => ran.has(join(root, name)));
};
