import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleInto } from '../lib/bundles.ts';
import type { ThreadProfile } from './cpu-profiles.ts';

const functions = fileURLToPath(new URL('../lambdas/functions', import.meta.url));

/**
 * Bundles a function once more, with source maps, and returns the source map of each file. The code is the same as in
 * the synthesised stack, so positions in that code have an entry in these maps.
 */
const sourceMapsOf = (functionName: string): ReadonlyMap<string, SourceMap> => {
  const folder = mkdtempSync(join(tmpdir(), 'passpost-maps-'));
  try {
    bundleInto(folder, { entryPoints: [join(functions, `${functionName}.ts`)], sourcemap: 'external' });
    const maps = readdirSync(folder).filter((file) => file.endsWith('.map'));
    return new Map(
      maps.map((file) => [
        file.replace(/\.map$/, ''),
        new SourceMap(JSON.parse(readFileSync(join(folder, file), 'utf8'))),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Returns the package of a source file: `@aws-sdk/…` and `@smithy/…` are one, and files of lambdas/ are our own. */
const packageOfSource = (source: string): string => {
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(source) ?? [];
  if (name === undefined) return 'our code';
  return /^@(aws-sdk|smithy|aws-crypto)\//.test(name) ? 'AWS SDK' : name;
};

const moduleOfNode = (url: string): string =>
  /^node:(_?http|net|internal\/(http|stream_base|streams|net|js_stream)|_tls|tls|internal\/tls)/.test(url)
    ? 'Node.js: HTTP and sockets'
    : /timers|task_queues|async_hooks|promises/.test(url)
      ? 'Node.js: timers and microtasks'
      : /crypto/.test(url)
        ? 'Node.js: crypto'
        : 'Node.js: other';

/**
 * Returns the profiled milliseconds of function threads by package, without the time in which a thread was idle. `(gc)` is
 * the garbage collection on the thread itself.
 */
export const millisecondsByPackage = (profiles: readonly ThreadProfile[]): Record<string, number> => {
  const mapsByFunction = new Map<string, ReadonlyMap<string, SourceMap>>();
  const packageOf = (functionName: string, { url, functionName: name, lineNumber, columnNumber }: Frame): string => {
    if (name === '(garbage collector)') return '(gc)';
    if (name === '(program)') return '(native code)';
    if (url.startsWith('node:')) return moduleOfNode(url);
    if (url === '') return 'Node.js: other';
    if (url.startsWith('data:')) return 'thread of the local stack';
    const maps = mapsByFunction.get(functionName) ?? sourceMapsOf(functionName);
    mapsByFunction.set(functionName, maps);
    const entry = maps.get(basename(url))?.findEntry(lineNumber, columnNumber);
    return entry && 'originalSource' in entry ? packageOfSource(entry.originalSource) : 'unknown';
  };
  const totals: Record<string, number> = {};
  for (const { functionName, profile } of profiles) {
    const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
    for (const [index, id] of (profile.samples ?? []).entries()) {
      const frame = frames.get(id);
      if (!frame || frame.functionName === '(idle)' || frame.functionName === '(root)') continue;
      const name = packageOf(functionName, frame);
      totals[name] = (totals[name] ?? 0) + (profile.timeDeltas?.[index] ?? 0) / 1000;
    }
  }
  return totals;
};

type Frame = ThreadProfile['profile']['nodes'][number]['callFrame'];
