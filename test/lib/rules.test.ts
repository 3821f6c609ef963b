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

describe('the rule packs of cdk-nag', () => {
  // `npm run synth` checks the defaults.
  test.each([
    ['every setting', everything],
    ['every setting and a front door', { ...everything, ...frontDoorSettings, frontDoorSecretVersion }],
    ['a front door without a domain name', frontDoorSettings],
    ["a customer's key that is being removed", { formerKmsKeyArn: mostSettings.formerKmsKeyArn }],
  ])('report nothing with %s', async (_, settings) => {
    expect(await check(settings)).toEqual([]);
  });
});
