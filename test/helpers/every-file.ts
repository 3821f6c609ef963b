import { afterAll, expect } from 'vitest';
import { leaveNotes, noteServed } from '../secrecy/notes.ts';
import { leaveLines } from '../secrecy/writing.ts';
import { markTestFile } from './run-folder.ts';

markTestFile(expect.getState().testPath);
noteServed();

// The functions' log lines are collected for the verdict tests and not printed. All other output is printed.
const write = process.stdout.write.bind(process.stdout);
const lines: string[] = [];
const isLine = (text: string): boolean => /^\{"(level|_aws)":/.test(text) && lines.push(text) > 0;

process.stdout.write = ((chunk: string | Uint8Array, ...rest: []) =>
  isLine(String(chunk)) || write(chunk, ...rest)) as typeof process.stdout.write;

afterAll(() => {
  leaveLines('log of a function in the test process', lines);
  leaveNotes();
});
