import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleInto } from '../lib/bundles.ts';
import { type Figures, round } from './figures.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const RUNS = 9;

const variables = {
  DOMAIN_TABLE: 'domain',
  DELIVERY_TABLE: 'delivery',
  CREDENTIALS_TABLE: 'credentials',
  DELIVERIES_QUEUE_URL: 'http://localhost/deliveries',
  SLOW_QUEUE_URL: 'http://localhost/slow',
  FAILURES_QUEUE_URL: 'http://localhost/failures',
  KEYRING_SECRET_ARN: 'keyring',
  OPERATOR_SECRET_ARN: 'operator',
  FRONT_DOOR_SECRET_ARN: 'front-door',
  RETENTION_DAYS: '30',
  AUTO_DISABLE_AFTER_HOURS: '120',
  AWS_REGION: 'us-east-1',
};

/** Measures the import time of a module in a new process, in milliseconds. */
const importMs = (module: string): number => {
  const code = `const t=performance.now();await import(${JSON.stringify(`file://${module}`)});console.log(performance.now()-t)`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, ...variables },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return Number(output.trim().split('\n').at(-1));
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/**
 * Returns the source of a module that does nothing but create the SDK clients of a function's bundle, to measure their
 * share of the function's start.
 */
const onlyClients = (inputs: readonly string[]): string => {
  const clients = [
    ['client-dynamodb', 'DynamoDBClient'],
    ['client-sqs', 'SQSClient'],
    ['client-secrets-manager', 'SecretsManagerClient'],
  ] as const;
  const used = clients.filter(([name]) => inputs.some((path) => path.includes(`@aws-sdk/${name}/`)));
  return used
    .map(
      ([name, client]) => `import { ${client} } from '@aws-sdk/${name}'; export const ${client}_ = new ${client}({});`,
    )
    .join('\n');
};

/**
 * Measures the import time of each function's bundle compared with a bundle of only its SDK clients, alternately. The
 * clients are bundled into one file, which is esbuild's default, and split into chunks, as the functions are.
 */
export const startUpRatios = async (): Promise<Figures> => {
  const folder = mkdtempSync(join(tmpdir(), 'passpost-start-up-'));
  const figures: Record<string, Record<string, number>> = {};
  try {
    const entries = readdirSync(join(root, 'lambdas', 'functions')).filter((name) => name.endsWith('.ts'));
    for (const entry of entries) {
      const name = entry.replace(/\.ts$/, '');
      const bundles = {
        complete: join(folder, name),
        clients: join(folder, `${name}-clients`),
        split: join(folder, `${name}-split`),
      };
      const built = bundleInto(bundles.complete, {
        entryPoints: [join(root, 'lambdas', 'functions', entry)],
        metafile: true,
      });
      const contents = onlyClients(Object.keys(built.metafile?.inputs ?? {}));
      if (contents === '') continue;
      const stdin = { contents, resolveDir: root };
      bundleInto(bundles.split, { stdin });
      bundleInto(bundles.clients, { stdin, splitting: false });
      const runs = Array.from({ length: RUNS }, () => ({
        complete: importMs(join(bundles.complete, 'index.mjs')),
        clients: importMs(join(bundles.clients, 'index.mjs')),
        split: importMs(join(bundles.split, 'index.mjs')),
      }));
      figures[name] = {
        ms: round(median(runs.map(({ complete }) => complete))),
        to_clients: round(median(runs.map(({ complete, clients }) => complete / clients))),
        to_split_clients: round(median(runs.map(({ complete, split }) => complete / split))),
      };
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
};
