import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeAssembly } from '../helpers/assembly.ts';

const check = async (settings: Readonly<Record<string, string>>): Promise<readonly string[]> => {
  const outdir = mkdtempSync(join(tmpdir(), 'passpost-rules-'));
  const { isValid, said } = await writeAssembly(outdir, settings);
  rmSync(outdir, { recursive: true, force: true });
  if (isValid) return [];
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
  tracing: 'off',
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
