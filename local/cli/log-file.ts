import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { LogLine } from '../functions/log-line.ts';

export interface LogFile {
  write(line: LogLine): void;
}

/** What a long load writes must not fill the disk: the last and the one before it are kept. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Everything functions log, whole, a line each: the time, the function, what it wrote. Begins anew with every start. */
export const openLogFile = (path: string): LogFile => {
  rmSync(`${path}.1`, { force: true });
  let file = openSync(path, 'w');
  let bytes = 0;
  return {
    write({ functionName, text }) {
      if (text.trim() === '') return;
      if (bytes > MOST_BYTES) {
        closeSync(file);
        renameSync(path, `${path}.1`);
        file = openSync(path, 'w');
        bytes = 0;
      }
      bytes += writeSync(file, `${new Date().toISOString()} ${functionName} ${text}\n`);
    },
  };
};
