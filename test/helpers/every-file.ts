import { expect } from 'vitest';
import { leaveMark } from './run-folder.ts';

leaveMark(expect.getState().testPath);

// The functions' own lines say nothing that a passing test needs to show; what went wrong is still seen.
const write = process.stdout.write.bind(process.stdout);

process.stdout.write = ((chunk: string | Uint8Array, ...rest: []) =>
  /^\{"(level|_aws)":/.test(String(chunk)) || write(chunk, ...rest)) as typeof process.stdout.write;
