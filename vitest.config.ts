import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { CountReporter } from './test/helpers/count-reporter.ts';

// What test files leave for the verdicts on the whole run: what was called, what was written.
const runFolder = join(tmpdir(), `passpost-run-${process.pid}`);
process.once('exit', () => rmSync(runFolder, { recursive: true, force: true }));

const verdicts = 'test/verdicts/*.test.ts';
const common = {
  provide: { runFolder },
  setupFiles: ['test/helpers/every-file.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    reporters: ['default', new CountReporter()],
    projects: [
      // Not group 0: on a machine with one worker vitest runs that last.
      {
        test: {
          ...common,
          name: 'suite',
          include: ['test/**/*.test.ts'],
          exclude: [verdicts],
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...common, name: 'verdicts', include: [verdicts], sequence: { groupOrder: 2 } } },
    ],
  },
});
