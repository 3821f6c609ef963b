import { afterAll, expect } from 'vitest';
import { leaveNotes, noteServed } from '../secrecy/notes.ts';
import { leaveLines } from '../secrecy/writing.ts';
import { leaveMark } from './run-folder.ts';

leaveMark(expect.getState().testPath);
noteServed();

// The functions' own lines say nothing that a passing test needs to show; what went wrong is still seen.
const write = process.stdout.write.bind(process.stdout);
const lines: string[] = [];
const isLine = (text: string): boolean => /^\{"(level|_aws)":/.test(text) && lines.push(text) > 0;

process.stdout.write = ((chunk: string | Uint8Array, ...rest: []) =>
  isLine(String(chunk)) || write(chunk, ...rest)) as typeof process.stdout.write;

afterAll(() => {
  leaveLines('log of a function in the test itself', lines);
  leaveNotes();
});
