import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder of this run's own, which vitest.config.ts names and removes. */
    runFolder: string;
  }
}

const file = `${randomUUID()}.jsonl`;

/** Leaves something of a test file's for `test/verdicts`, which look at the whole run when all else is done. */
export const leave = (kind: string, records: readonly unknown[]): void => {
  if (records.length === 0) return;
  const folder = join(inject('runFolder'), kind);
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, file), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
};

/** All that was left of a kind, file by file. */
export function* left<T>(kind: string): Generator<readonly T[]> {
  const folder = join(inject('runFolder'), kind);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
    yield lines.map((line) => JSON.parse(line) as T);
  }
}

/** Says that a test file is part of the run. */
export const leaveMark = (testPath: string | undefined): void => leave('marks', [testPath ?? '']);

/** Whether every test file ran: only then is what was not seen not there. */
export const isWholeRun = (): boolean => {
  const ran = new Set([...left<string>('marks')].flat());
  const root = fileURLToPath(new URL('..', import.meta.url));
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.startsWith('verdicts'))
    .every((name) => ran.has(join(root, name)));
};
