import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { synthesiseIfStale } from '../../local/cli/synth.ts';
import { isWholeRun, savedForVerdicts } from '../helpers/run-folder.ts';
import { type Needle, needleKinds } from '../secrecy/find-needles.ts';
import { leaves } from '../secrecy/leaves.ts';
import { createSearch } from '../secrecy/search.ts';
import type { Writing } from '../secrecy/writing.ts';

// Runs when all other files are done (vitest.config.ts), over what their functions wrote: each log line, and each row
// and message that was there at the end.

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

it('nothing secret stands where functions write', () => {
  expect([...search.leaks.keys()]).toEqual([]);
});

// A few files show only a few secrets, in a few places.
describe.runIf(isWholeRun())('over the whole run', () => {
  it('looks for secrets of every kind, in every kind of place', () => {
    const kinds = new Set(needles.map(({ kind }) => kind));

    expect(needleKinds.filter((kind) => !kinds.has(kind))).toEqual([]);
    expect([...places]).toEqual(
      expect.arrayContaining(['log deliver', 'domain-table webhook', 'delivery-table delivery', 'queue failures']),
    );
  });

  it('finds no leave that nothing needs', () => {
    expect(search.idleLeaves()).toEqual([]);
  });

  it.each(needleKinds)('finds a planted %s', (kind) => {
    const said = needles.find((needle) => needle.kind === kind)?.text;
    const planted = createSearch(needles, leaves);

    planted.look({ place: 'log deliver', fields: { line: JSON.stringify({ level: 'info', said }) } });

    expect([...planted.leaks.keys()]).toEqual([`${kind} in log deliver line`]);
  });
});
