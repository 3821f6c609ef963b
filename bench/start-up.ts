import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { bundling } from '../lib/bundles.ts';
import { type Figures, round } from './figures.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const RUNS = 9;

const variables = {
  DOMAIN_TABLE: 'domain',
  DELIVERY_TABLE: 'delivery',
  DELIVERIES_QUEUE_URL: 'http://localhost/deliveries',
  SLOW_QUEUE_URL: 'http://localhost/slow',
  FAILURES_QUEUE_URL: 'http://localhost/failures',
  KEYRING_SECRET_ARN: 'keyring',
  OPERATOR_SECRET_ARN: 'operator',
  AWS_REGION: 'us-east-1',
};

/** Milliseconds that a fresh process takes to import a module. */
const importMs = (file: string): number => {
  const code = `const t=performance.now();await import(${JSON.stringify(`file://${file}`)});console.log(performance.now()-t)`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, ...variables },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return Number(output.trim().split('\n').at(-1));
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** A module that does nothing but make the clients which a function's bundle holds. */
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

/** Import time of each function's bundle against one that holds only the SDK clients it uses, in turns. */
export const startUpRatios = async (): Promise<Figures> => {
  const folder = mkdtempSync(join(tmpdir(), 'passpost-start-up-'));
  const figures: Record<string, number> = {};
  try {
    const entries = readdirSync(join(root, 'lambdas')).filter((name) => name.endsWith('.ts'));
    for (const entry of entries) {
      const name = entry.replace(/\.ts$/, '');
      const own = join(folder, `${name}.mjs`);
      const bare = join(folder, `${name}-clients.mjs`);
      const built = buildSync({
        ...bundling,
        metafile: true,
        entryPoints: [join(root, 'lambdas', entry)],
        outfile: own,
      });
      const contents = onlyClients(Object.keys(built.metafile.inputs));
      if (contents === '') continue;
      buildSync({ ...bundling, stdin: { contents, resolveDir: root }, outfile: bare });
      const times = Array.from({ length: RUNS }, () => [importMs(own), importMs(bare)] as const);
      figures[name] = round(median(times.map(([ours, clients]) => ours / clients)));
      figures[`${name} KB`] = Math.round(readFileSync(own).length / 1024);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
};
