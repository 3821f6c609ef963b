import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { synthesiseIfStale } from '../../local/cli/synth.ts';
import { isWholeRun, savedForVerdicts } from '../helpers/run-folder.ts';
import { type Needle, needleKinds } from '../secrecy/find-needles.ts';
import { leaves } from '../secrecy/leaves.ts';
import { createSearch } from '../secrecy/search.ts';
import type { Writing } from '../secrecy/writing.ts';

// Runs after all other test files (vitest.config.ts) and searches everything that their functions wrote: all log lines, and all
// rows and messages that existed at the end of a file.

const needles = [...savedForVerdicts<Needle>('needles')].flat();
const search = createSearch(needles, leaves);
const places = new Set<string>();

beforeAll(async () => {
  for (const writings of savedForVerdicts<Writing>('writings')) {
    for (const writing of writings) {
      places.add(writing.place);
      search.look(writing);
    }
  }
  const assembly = await synthesiseIfStale();
  for (const name of readdirSync(assembly).filter((name) => name.endsWith('.json'))) {
    search.look({ place: 'cdk.out', fields: { [name]: readFileSync(join(assembly, name), 'utf8') } });
  }
});

it('no secret or event body of this run is in a log line, row, message or file of cdk.out, except where leaves.ts permits it', () => {
  expect([...search.leaks.keys()]).toEqual([]);
});

// Only a run of all test files has secrets of every kind.
describe.runIf(isWholeRun())('the secrecy verdict over the whole run', () => {
  it('has collected secrets of every kind, and the logs, rows and messages of the four expected places', () => {
    const kinds = new Set(needles.map(({ kind }) => kind));

    expect(needleKinds.filter((kind) => !kinds.has(kind))).toEqual([]);
    expect([...places]).toEqual(
      expect.arrayContaining(['log deliver', 'domain-table webhook', 'delivery-table delivery', 'queue failures']),
    );
  });

  it('every permission in leaves.ts was needed by a row, message or log line of this run', () => {
    expect(search.idleLeaves()).toEqual([]);
  });

  it.each(needleKinds)('reports one leak if a log line of deliver contains a collected text of the kind %s', (kind) => {
    const text = needles.find((needle) => needle.kind === kind)?.text;
    const planted = createSearch(needles, leaves);

    planted.look({ place: 'log deliver', fields: { line: JSON.stringify({ level: 'info', text }) } });

    expect([...planted.leaks.keys()]).toEqual([`${kind} in log deliver line`]);
  });
});
