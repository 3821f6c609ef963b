import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeAssembly } from '../helpers/assembly.ts';
import { frontDoorSettings, mostSettings } from '../helpers/settings.ts';

const check = async (settings: Readonly<Record<string, string>>): Promise<readonly string[]> => {
  const outdir = mkdtempSync(join(tmpdir(), 'passpost-rules-'));
  const { isValid, output } = await writeAssembly(outdir, settings);
  rmSync(outdir, { recursive: true, force: true });
  if (isValid) return [];
  return [...output.matchAll(/^(?:ERROR|WARNING) .*|^\S*Error: .*/gm)].map(([line]) => line.slice(0, 200));
};

const everything = {
  ...mostSettings,
  stage: 'production',
  egressAddresses: '2',
  hostedZoneId: 'Z0123456789',
  zoneName: 'example.com',
};
const frontDoorSecretVersion = '1234abcd-12ab-34cd-56ef-1234567890ab';

describe('the synthesis with the rule packs of cdk-nag', () => {
  // `npm run synth` checks a stack with the default settings.
  test.each([
    ['all settings except egressAllow and those of the front door', everything],
    ['all settings except egressAllow', { ...everything, ...frontDoorSettings, frontDoorSecretVersion }],
    ['only the setting webAclArn (a front door without a domain name)', frontDoorSettings],
    ['only the setting formerKmsKeyArn', { formerKmsKeyArn: mostSettings.formerKmsKeyArn }],
  ])('reports no rule violation in a stack with %s', async (_, settings) => {
    expect(await check(settings)).toEqual([]);
  });
});
