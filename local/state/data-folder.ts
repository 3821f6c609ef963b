import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface DataFolder {
  readonly path: string;
  readonly tablesFile: string;
  readonly journalFile: string;
  /** Stores the engine's process id, so that the next start can end an engine that still uses the tables file. */
  rememberEngine(pid: number): void;
  close(): void;
}

const commandOf = (pid: number): string => {
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Throws if another running stack uses the data folder. Ends the DynamoDB engine that a killed stack left running. */
const takeOver = (lockFile: string, tablesFile: string, path: string): void => {
  if (!existsSync(lockFile)) return;
  const [owner = 0, engine = 0] = readFileSync(lockFile, 'utf8').split(' ').map(Number);
  if (owner > 0 && owner !== process.pid && isAlive(owner) && commandOf(owner).includes('node')) {
    throw new Error(`A stack is running on the data folder ${path} (process ${owner}).`);
  }
  if (engine > 0 && commandOf(engine).includes(tablesFile)) {
    process.kill(engine, 'SIGKILL');
  }
};

const checkDatabase = (file: string, path: string): void => {
  if (!existsSync(file)) return;
  try {
    const db = new DatabaseSync(file, { timeout: 2000 });
    const verdict = Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
    db.close();
    if (verdict !== 'ok') throw new Error(String(verdict));
  } catch (cause) {
    throw new Error(`The data folder ${path} is damaged (${file} is not a valid database): start with --fresh.`, {
      cause,
    });
  }
};

/**
 * Opens and locks the folder of a stack's data. `null` makes a temporary folder that `close` removes; `fresh` deletes
 * the data first. Throws if the folder is in use, is damaged or cannot be created.
 */
export const openDataFolder = (folder: string | null, fresh = false): DataFolder => {
  const path = folder ?? mkdtempSync(join(tmpdir(), 'passpost-'));
  const tablesFile = join(path, 'tables.db');
  const journalFile = join(path, 'journal.db');
  const lockFile = join(path, 'lock');
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new Error(`The data folder ${path} cannot be created: ${(cause as Error).message}.`, { cause });
  }
  takeOver(lockFile, tablesFile, path);
  if (fresh) {
    for (const file of [tablesFile, journalFile]) {
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    }
    rmSync(join(path, 'env'), { force: true });
  }
  checkDatabase(tablesFile, path);
  checkDatabase(journalFile, path);
  const writeLock = (enginePid: number): void => writeFileSync(lockFile, `${process.pid} ${enginePid}`);
  writeLock(0);
  return {
    path,
    tablesFile,
    journalFile,
    rememberEngine: writeLock,
    close: () => rmSync(folder === null ? path : lockFile, { recursive: true, force: true }),
  };
};
