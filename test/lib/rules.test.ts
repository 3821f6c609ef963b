import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { context: flags } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));

/** The app itself with both rule packs and CloudFormation's own checks, as `cdk synth -c …` runs it but for the functions' code. */
const check = async (settings: Readonly<Record<string, string>>): Promise<readonly string[]> => {
  const outdir = mkdtempSync(join(tmpdir(), 'passpost-rules-'));
  const child = spawn(process.execPath, [join(root, 'bin/passpost.ts')], {
    env: {
      ...process.env,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ ...flags, 'aws:cdk:bundling-stacks': [], ...settings }),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  rmSync(outdir, { recursive: true, force: true });
  if (code === 0) return [];
  return [...said.matchAll(/^(?:ERROR|WARNING) .*|^\S*Error: .*/gm)].map(([line]) => line.slice(0, 200));
};

const everything = {
  stage: 'production',
  alarmEmail: 'ops@example.com',
  kmsKeyArn: 'arn:aws:kms:eu-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  egressAddresses: '2',
  deliverConcurrency: '50',
  slowConcurrency: '20',
  logRetentionDays: '365',
  retentionDays: '60',
  domainName: 'api.example.com',
  certificateArn: 'arn:aws:acm:eu-north-1:111122223333:certificate/1234abcd-12ab-34cd-56ef-1234567890ab',
  hostedZoneId: 'Z0123456789',
  zoneName: 'example.com',
};

describe('the rules', () => {
  // `npm run synth` holds the defaults to them.
  test('pass with every option at once', async () => {
    expect(await check(everything)).toEqual([]);
  });
});
