import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The imports that a layer allows: packages and `node:` modules by name, our own files by path from the root. */
interface Layer {
  readonly files: RegExp;
  readonly mayImport: RegExp;
}

// A file belongs to the first layer whose pattern matches.
const layers: readonly Layer[] = [
  { files: /^lambdas\/domain\//, mayImport: /^(zod|node:crypto|lambdas\/domain\/.*)$/ },
  {
    files: /^lambdas\/profiles\/parts\//,
    mayImport: /^(zod|node:crypto|lambdas\/domain\/deliveries\/profile\.ts|lambdas\/profiles\/parts\/.*)$/,
  },
  { files: /^lambdas\/profiles\/index\.ts$/, mayImport: /^(lambdas\/domain\/.*|lambdas\/profiles\/[\w-]+\.ts)$/ },
  {
    files: /^lambdas\/profiles\//,
    mayImport: /^(zod|node:crypto|lambdas\/domain\/deliveries\/profile\.ts|lambdas\/profiles\/parts\/.*)$/,
  },
  // Files in rows/ map domain objects to table rows and make no call.
  {
    files: /^lambdas\/adapters\/rows\//,
    mayImport: /^(@aws-sdk\/(util-dynamodb|client-dynamodb)|zod|lambdas\/domain\/.*|lambdas\/adapters\/rows\/.*)$/,
  },
  {
    files: /^lambdas\/adapters\//,
    mayImport: /^(@(aws-sdk|smithy)\/.*|zod|ipaddr\.js|jose.*|ajv\/.*|node:.*|lambdas\/(domain|adapters)\/.*)$/,
  },
  {
    files: /^lambdas\/runtime\//,
    mayImport:
      /^(zod|@middy\/core|@aws-lambda-powertools\/metrics|aws-lambda|node:.*|lambdas\/domain\/.*|lambdas\/runtime\/.*)$/,
  },
  {
    files: /^lambdas\/contract\//,
    mayImport:
      /^(zod|zod-openapi|lambdas\/domain\/.*|lambdas\/contract\/.*|lambdas\/runtime\/(operation|problem)\.ts)$/,
  },
  {
    files: /^lambdas\/routes\//,
    mayImport:
      /^(zod|node:crypto|lambdas\/(domain|contract)\/.*|lambdas\/profiles\/index\.ts|lambdas\/runtime\/operation\.ts)$/,
  },
  {
    files: /^lambdas\/functions\/[\w-]+\.ts$/,
    mayImport:
      /^(aws-lambda|node:.*|lambdas\/(domain|adapters|runtime|contract|routes)\/.*|lambdas\/profiles\/index\.ts)$/,
  },
  { files: /^lib\/bundles\.ts$/, mayImport: /^(esbuild|node:.*|aws-cdk-lib\/.*|constructs)$/ },
  {
    files: /^lib\//,
    mayImport:
      /^(node:.*|aws-cdk-lib\/.*|constructs|lib\/.*|lambdas\/runtime\/(env|metric-names|front-door-headers)\.ts|lambdas\/domain\/foundation\/resources\.ts|lambdas\/adapters\/rows\/key-names\.ts)$/,
  },
  // deploy/ works on a deployment from outside, through the APIs of AWS and PassPost.
  {
    files: /^deploy\//,
    mayImport: /^(@aws-sdk\/.*|@smithy\/signature-v4|zod|node:.*|deploy\/.*|lib\/engine-shares\.ts)$/,
  },
  { files: /^bin\/passpost\.ts$/, mayImport: /^(aws-cdk-lib\/core|cdk-nag|lib\/(passpost-stack|stage-config)\.ts)$/ },
  // ops/ has the operator's commands. They use the adapters of the functions, never a function itself.
  {
    files: /^ops\//,
    mayImport: /^(@aws-sdk\/.*|zod|node:.*|lambdas\/(domain|adapters)\/.*|local\/state\/stack-file\.ts|ops\/.*)$/,
  },
  // The local stack reads only the synthesised template, never the constructs.
  { files: /^(bin|local)\//, mayImport: /^(?!aws-cdk-lib|cdk-nag|constructs|lib\/)/ },
];

/** The rooms of a folder, top down, and the lower rooms that each one imports. A room may import its own files. */
type Rooms = Readonly<Record<string, readonly string[]>>;

const rooms: Readonly<Record<string, Rooms>> = {
  'lambdas/domain': {
    redelivery: ['history', 'jobs', 'fan-out', 'webhooks', 'events', 'deliveries', 'foundation'],
    history: ['maintenance', 'webhooks', 'events', 'deliveries', 'foundation'],
    sending: ['webhooks', 'events', 'deliveries', 'foundation'],
    maintenance: ['fan-out', 'events', 'deliveries', 'foundation'],
    'fan-out': ['webhooks', 'events', 'deliveries'],
    jobs: ['events', 'foundation'],
    tasks: ['events', 'foundation'],
    webhooks: ['events', 'deliveries', 'foundation'],
    keyring: ['accounts', 'deliveries', 'foundation'],
    events: ['accounts', 'foundation'],
    accounts: ['foundation'],
    deliveries: ['foundation'],
    foundation: [],
  },
  'lambdas/adapters': {
    'fan-out': ['redelivery', 'maintenance', 'deliveries', 'webhooks', 'aws', 'rows'],
    redelivery: ['maintenance', 'aws', 'rows'],
    history: ['maintenance', 'aws', 'rows'],
    maintenance: ['deliveries', 'aws', 'rows'],
    sending: ['aws', 'rows'],
    deliveries: ['aws', 'rows'],
    jobs: ['webhooks', 'aws', 'rows'],
    tasks: ['aws', 'rows'],
    webhooks: ['aws', 'rows'],
    events: ['aws', 'rows'],
    accounts: ['aws', 'rows'],
    keyring: ['aws', 'rows'],
    docs: [],
    aws: ['rows'],
    rows: [],
  },
  local: {
    'stack.ts': ['wiring', 'metrics', 'queues', 'gateway', 'functions', 'state', 'template'],
    wiring: ['streams', 'queues', 'gateway', 'functions', 'tables', 'state', 'template'],
    metrics: ['queues', 'functions', 'template'],
    streams: ['functions', 'tables', 'state', 'template'],
    queues: ['functions', 'state', 'template'],
    gateway: ['functions', 'template'],
    cli: ['functions', 'state'],
    functions: ['template'],
    tables: [],
    state: ['template'],
    template: [],
  },
};

const readsEnvironment =
  /^(lambdas\/(runtime\/config|adapters\/aws\/thin-path)|lib\/stage-config|(bin|local|bench|test)\/)/;
const forbiddenName = /^(utils?|helpers?|common|misc|services?|types?|interfaces?|dtos?|mappers?)$/;

const filesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));

const files = ['bin', 'lib', 'lambdas', 'deploy', 'local', 'ops', 'bench', 'test'].flatMap(filesIn);
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const outsideTests = files.filter((file) => !file.startsWith('test/'));

const importStatement = /^(?:import|export)\s[^'"=;]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\('([^']+)'\)/gm;

const importsOf = (file: string): readonly string[] => importsByFile.get(file) ?? [];

const parseImports = (file: string): readonly string[] =>
  [...(sources.get(file) ?? '').matchAll(importStatement)].map(([, from, effect, dynamic]) => {
    const name = from ?? effect ?? dynamic ?? '';
    return name.startsWith('.') ? join(dirname(file), name).replaceAll(sep, '/') : name;
  });

const importsByFile = new Map(files.map((file) => [file, parseImports(file)]));

describe('the .ts files of the repository', () => {
  test('every file outside test/ and bench/ is in a layer and imports only what that layer allows', () => {
    const forbidden = outsideTests.flatMap((file) => {
      const layer = layers.find(({ files }) => files.test(file));
      if (!layer) return file.startsWith('bench/') ? [] : [`${file} belongs to no layer`];
      return importsOf(file)
        .filter((name) => !layer.mayImport.test(name))
        .map((name) => `${file} imports ${name}`);
    });

    expect(forbidden).toEqual([]);
  });

  describe.each(Object.entries(rooms))('the rooms (top folders and files) of %s', (folder, table) => {
    const order = Object.keys(table);
    const inside = files.filter((file) => file.startsWith(`${folder}/`));
    const roomOf = (file: string): string | undefined =>
      file.startsWith(`${folder}/`) ? file.slice(folder.length + 1).split('/')[0] : undefined;
    const arrows = inside.flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith(`${folder}/`) && roomOf(name) !== roomOf(file))
        .map((name) => ({ file, name, from: roomOf(file) ?? '', to: roomOf(name) ?? '' })),
    );

    test('every file is in a room that this test lists', () => {
      expect(inside.filter((file) => !order.includes(roomOf(file) ?? ''))).toEqual([]);
    });

    test('each room is allowed to import only rooms that are further down in the list', () => {
      const upward = order.flatMap((from, floor) =>
        (table[from] ?? []).filter((to) => order.indexOf(to) <= floor).map((to) => `${from} lists ${to}`),
      );

      expect(upward).toEqual([]);
    });

    test('a file imports from another room only if the list allows this import', () => {
      const forbidden = arrows
        .filter(({ from, to }) => !table[from]?.includes(to))
        .map(({ file, name }) => `${file} imports ${name}`);

      expect(forbidden).toEqual([]);
    });

    test('every import from room to room that the list allows is used by a file', () => {
      const unused = order.flatMap((from) =>
        (table[from] ?? [])
          .filter((to) => !arrows.some((arrow) => arrow.from === from && arrow.to === to))
          .map((to) => `${from} does not import ${to}`),
      );

      expect(unused).toEqual([]);
    });
  });

  test('no file of lambdas/adapters/rows/ contains DynamoDBClient or .send(', () => {
    const calling = files.filter(
      (file) => file.startsWith('lambdas/adapters/rows/') && /DynamoDBClient|\.send\(/.test(sources.get(file) ?? ''),
    );

    expect(calling).toEqual([]);
  });

  // Every client needs the time limits, the counts and the number of tries of that file.
  test('in lambdas/, only adapters/aws/aws-clients.ts creates clients of AWS (new …Client)', () => {
    const creators = files.filter(
      (file) => file.startsWith('lambdas/') && /\bnew \w+Client\(/.test(sources.get(file) ?? ''),
    );

    expect(creators).toEqual(['lambdas/adapters/aws/aws-clients.ts']);
  });

  test('in lambdas/ outside domain/, only adapters/rows/delivery-row.ts sets the attributes att_pk and has_slot of a delivery', () => {
    const writers = files.filter(
      (file) =>
        file.startsWith('lambdas/') && /\b(att_pk|has_slot): /.test(sources.get(file)?.replaceAll(/z\..*/g, '') ?? ''),
    );

    expect(writers.filter((file) => !file.startsWith('lambdas/domain/'))).toEqual([
      'lambdas/adapters/rows/delivery-row.ts',
    ]);
  });

  test('no file imports itself through other files, not even through imports of types', () => {
    const onCycle = files.filter((file) => {
      const reached = new Set<string>();
      const waiting = [...importsOf(file)];
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        if (reached.has(next)) continue;
        reached.add(next);
        waiting.push(...importsOf(next));
      }
      return reached.has(file);
    });

    expect(onCycle).toEqual([]);
  });

  test('the files of lambdas/ that the CDK stack in lib/ imports import only each other', () => {
    const shared = new Set(
      files
        .filter((file) => file.startsWith('lib/'))
        .flatMap(importsOf)
        .filter((name) => name.startsWith('lambdas/')),
    );
    const foreign = [...shared].flatMap(importsOf).filter((name) => !shared.has(name));

    expect(shared).toContain('lambdas/domain/foundation/resources.ts');
    expect(foreign).toEqual([]);
  });

  test('only lambdas/runtime/config.ts, the thin path of AWS calls, lib/stage-config.ts, bin/, local/, bench/ and test/ contain process.env', () => {
    const readers = files.filter((file) => sources.get(file)?.includes('process.env') && !readsEnvironment.test(file));

    expect(readers).toEqual([]);
  });

  test('every profile lambdas/profiles/<name>.ts has a test file test/profiles/<name>.test.ts', () => {
    const untested = filesIn('lambdas/profiles')
      .filter((file) => /^lambdas\/profiles\/[\w-]+\.ts$/.test(file) && !file.endsWith('/index.ts'))
      .map((file) => file.replace('lambdas/', 'test/').replace(/\.ts$/, '.test.ts'))
      .filter((file) => !files.includes(file));

    expect(untested).toEqual([]);
  });

  test('outside test/, every file and folder name is kebab-case and not generic (utils, helpers, types …)', () => {
    const misnamed = outsideTests.filter((file) =>
      file
        .replace(/\.ts$/, '')
        .split('/')
        .some((part) => forbiddenName.test(part) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part)),
    );

    expect(misnamed).toEqual([]);
  });

  test('no file of a source or test folder has a default export', () => {
    const unnamed = files.filter((file) => /^export default\b/m.test(sources.get(file) ?? ''));

    expect(unnamed).toEqual([]);
  });

  test('no file is longer than 300 lines', () => {
    const long = files.filter((file) => (sources.get(file)?.split('\n').length ?? 0) > 301);

    expect(long).toEqual([]);
  });
});
