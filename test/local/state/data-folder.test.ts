import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataFolder } from '../../../local/state/data-folder.ts';

describe('the data folder', () => {
  let path: string;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'passpost-test-'));
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));

  it.each(['tables.db', 'journal.db'])('throws when %s is damaged, and opens with fresh', (file) => {
    writeFileSync(join(path, file), 'no database at all, but long enough to be taken for one'.repeat(20));

    expect(() => openDataFolder(path)).toThrow(/^The data folder .* is damaged .*: start with --fresh\.$/);
    expect(() => openDataFolder(path, true).close()).not.toThrow();
  });

  it('throws when another stack is running on it', () => {
    writeFileSync(join(path, 'lock'), `${process.ppid} 0`);

    expect(() => openDataFolder(path)).toThrow('A stack is running on the data folder');
  });

  it('opens when the stack that locked it was killed', () => {
    writeFileSync(join(path, 'lock'), '4194305 0');

    expect(() => openDataFolder(path).close()).not.toThrow();
  });

  it('throws when it cannot be created', () => {
    writeFileSync(join(path, 'file'), '');

    expect(() => openDataFolder(join(path, 'file', 'folder'))).toThrow('cannot be created');
  });
});
