import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { CountReporter } from './test/helpers/count-reporter.ts';

// What test files leave for the verdicts on the whole run: what was called, what was written.
const runFolder = join(tmpdir(), `passpost-run-${process.pid}`);
process.once('exit', () => rmSync(runFolder, { recursive: true, force: true }));

const verdicts = 'test/verdicts/*.test.ts';
/** Whole stacks fill the processors, and what they do in time is watched: one after the other. */
const whole = 'test/stack/**/!(ladders).test.ts';
/** Those that mostly wait leave room beside them for one another, but not for work that makes them late. */
const waiting = ['test/stack/ladders.test.ts', 'test/{local,ops}/**/*.test.ts'];
const common = {
  provide: { runFolder },
  setupFiles: ['test/helpers/every-file.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    reporters: ['default', new CountReporter()],
    // Not group 0: on a machine with one worker vitest runs that last.
    projects: [
      {
        test: {
          ...common,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [verdicts, whole, ...waiting],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...common,
          name: 'waiting',
          include: waiting,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...common,
          name: 'whole',
          include: [whole],
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
      { test: { ...common, name: 'verdicts', include: [verdicts], sequence: { groupOrder: 4 } } },
    ],
  },
});
