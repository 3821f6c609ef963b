import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataFolder } from '../../../local/state/data-folder.ts';

describe('openDataFolder', () => {
  let path: string;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'passpost-test-'));
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));

  it.each(['tables.db', 'journal.db'])(
    'throws and advises --fresh when %s is damaged, and opens the folder when it is called with fresh',
    (file) => {
      writeFileSync(join(path, file), 'no database at all, but long enough to be taken for one'.repeat(20));

      expect(() => openDataFolder(path)).toThrow(/^The data folder .* is damaged .*: start with --fresh\.$/);
      expect(() => openDataFolder(path, true).close()).not.toThrow();
    },
  );

  it('throws when the lock file names a running process', () => {
    writeFileSync(join(path, 'lock'), `${process.ppid} 0`);

    expect(() => openDataFolder(path)).toThrow('A stack is running on the data folder');
  });

  it('opens the folder when the lock file names a process that no longer runs', () => {
    writeFileSync(join(path, 'lock'), '4194305 0');

    expect(() => openDataFolder(path).close()).not.toThrow();
  });

  it('throws when the folder cannot be created, because its parent is a file', () => {
    writeFileSync(join(path, 'file'), '');

    expect(() => openDataFolder(join(path, 'file', 'folder'))).toThrow('cannot be created');
  });
});
