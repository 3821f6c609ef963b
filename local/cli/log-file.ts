import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { LogLine } from '../functions/log-line.ts';

export interface LogFile {
  write(line: LogLine): void;
}

/**
 * The size in bytes after which the log file is renamed to `<path>.1` and a new file is started. Only one older file is
 * retained, so that a long load cannot fill the disk.
 */
const MAX_BYTES = 32 * 1024 * 1024;

/** Opens an empty log file. Each line has the time, the function's name and the complete text that the function logged. */
export const openLogFile = (path: string): LogFile => {
  rmSync(`${path}.1`, { force: true });
  let file = openSync(path, 'w');
  let bytes = 0;
  return {
    write({ functionName, text }) {
      if (text.trim() === '') return;
      if (bytes > MAX_BYTES) {
        closeSync(file);
        renameSync(path, `${path}.1`);
        file = openSync(path, 'w');
        bytes = 0;
      }
      bytes += writeSync(file, `${new Date().toISOString()} ${functionName} ${text}\n`);
    },
  };
};
