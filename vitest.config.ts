import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { CountReporter } from './test/helpers/count-reporter.ts';

// In this folder test files save what their functions called and wrote. The verdict tests read the folder at the end.
const runFolder = join(tmpdir(), `passpost-run-${process.pid}`);
process.once('exit', () => rmSync(runFolder, { recursive: true, force: true }));

const verdicts = 'test/verdicts/*.test.ts';
/** Tests of a whole stack run one after the other, because they use all processors and check times. */
const whole = 'test/stack/**/!(ladders).test.ts';
/** Tests that mostly wait run beside each other, but not beside tests that use the processors and would delay them. */
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
    // The groups start at 1, because on a machine with one worker vitest runs group 0 last.
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
