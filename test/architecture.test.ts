import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What a file of a layer may import: packages and `node:` modules by name, our own files by path from the root. */
interface Layer {
  readonly files: RegExp;
  readonly mayImport: RegExp;
}

// The first layer whose pattern fits is a file's own.
const layers: readonly Layer[] = [
  { files: /^lambdas\/domain\//, mayImport: /^(zod|node:crypto|lambdas\/domain\/.*)$/ },
  {
    files: /^lambdas\/profiles\/parts\//,
    mayImport: /^(zod|node:crypto|lambdas\/domain\/profile\.ts|lambdas\/profiles\/parts\/.*)$/,
  },
  { files: /^lambdas\/profiles\/index\.ts$/, mayImport: /^(lambdas\/domain\/.*|lambdas\/profiles\/[\w-]+\.ts)$/ },
  {
    files: /^lambdas\/profiles\//,
    mayImport: /^(zod|node:crypto|lambdas\/domain\/profile\.ts|lambdas\/profiles\/parts\/.*)$/,
  },
  // Adapters know each other only where they share a way of calling AWS, or rows that stand in one transaction.
  {
    files: /^lambdas\/adapters\//,
    mayImport:
      /^(@aws-sdk\/.*|zod|ipaddr\.js|jose(\/.*)?|ajv\/dist\/2020\.js|node:.*|lambdas\/domain\/.*|lambdas\/adapters\/(aws-clients|table-keys|kept-value|batch-get|partiql|transact|first-answers|[\w-]+-rows)\.ts)$/,
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
      /^(node:.*|aws-cdk-lib\/.*|constructs|lib\/.*|lambdas\/runtime\/(env|metric-names|front-door-headers)\.ts)$/,
  },
  // What is done to a deployment from outside: through AWS's and PassPost's own APIs.
  { files: /^deploy\//, mayImport: /^(@aws-sdk\/.*|@smithy\/signature-v4|zod|node:.*|deploy\/.*)$/ },
  { files: /^bin\/passpost\.ts$/, mayImport: /^(aws-cdk-lib\/core|cdk-nag|lib\/(passpost-stack|stages)\.ts)$/ },
  // What an operator does with a deployment: its rows and queues as the functions know them, never a function's own code.
  {
    files: /^ops\//,
    mayImport: /^(@aws-sdk\/.*|zod|node:.*|lambdas\/(domain|adapters)\/.*|local\/stack-file\.ts|ops\/.*)$/,
  },
  // The local stack reads the template: what is not in it does not exist.
  { files: /^(bin|local)\//, mayImport: /^(?!aws-cdk-lib|cdk-nag|constructs|lib\/)/ },
];

const readsEnvironment = /^(lambdas\/runtime\/config\.ts|lib\/stages\.ts|bin\/|local\/|bench\/|test\/)/;
const forbiddenName = /^(utils?|helpers?|common|misc|services?|types?|interfaces?|dtos?|mappers?)$/;

const filesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));

const files = ['bin', 'lib', 'lambdas', 'deploy', 'local', 'ops', 'bench', 'test'].flatMap(filesIn);
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const outsideTests = files.filter((file) => !file.startsWith('test/'));

const importStatement = /^(?:import|export)\s[^'"=;]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\('([^']+)'\)/gm;

const importsOf = (file: string): readonly string[] =>
  [...(sources.get(file) ?? '').matchAll(importStatement)].map(([, from, effect, dynamic]) => {
    const name = from ?? effect ?? dynamic ?? '';
    return name.startsWith('.') ? join(dirname(file), name).replaceAll(sep, '/') : name;
  });

describe('architecture', () => {
  test('imports stay within their layer', () => {
    const forbidden = outsideTests.flatMap((file) => {
      const layer = layers.find(({ files }) => files.test(file));
      if (!layer) return file.startsWith('bench/') ? [] : [`${file} belongs to no layer`];
      return importsOf(file)
        .filter((name) => !layer.mayImport.test(name))
        .map((name) => `${file} imports ${name}`);
    });

    expect(forbidden).toEqual([]);
  });

  test('the environment is read where it is parsed', () => {
    const readers = files.filter((file) => sources.get(file)?.includes('process.env') && !readsEnvironment.test(file));

    expect(readers).toEqual([]);
  });

  test('every profile has its test', () => {
    const untested = filesIn('lambdas/profiles')
      .filter((file) => /^lambdas\/profiles\/[\w-]+\.ts$/.test(file) && !file.endsWith('/index.ts'))
      .map((file) => file.replace('lambdas/', 'test/').replace(/\.ts$/, '.test.ts'))
      .filter((file) => !files.includes(file));

    expect(untested).toEqual([]);
  });

  test('names say what a thing is, in kebab-case', () => {
    const misnamed = outsideTests.filter((file) =>
      file
        .replace(/\.ts$/, '')
        .split('/')
        .some((part) => forbiddenName.test(part) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part)),
    );

    expect(misnamed).toEqual([]);
  });

  test('exports have names', () => {
    const unnamed = files.filter((file) => /^export default\b/m.test(sources.get(file) ?? ''));

    expect(unnamed).toEqual([]);
  });

  test('files are at most 300 lines long', () => {
    const long = files.filter((file) => (sources.get(file)?.split('\n').length ?? 0) > 301);

    expect(long).toEqual([]);
  });
});
