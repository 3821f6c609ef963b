import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { context: flags } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));

/**
 * Runs bin/passpost.ts as `cdk synth -c …` does, with both rule packs and CloudFormation's checks. Bundles the functions' code
 * only with `isBundled`. `output` is the standard error of the app.
 */
export const writeAssembly = async (
  outdir: string,
  settings: Readonly<Record<string, string>> = {},
  isBundled = false,
): Promise<{ readonly isValid: boolean; readonly output: string }> => {
  const child = spawn(process.execPath, [join(root, 'bin/passpost.ts')], {
    env: {
      ...process.env,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({
        ...flags,
        ...(isBundled ? {} : { 'aws:cdk:bundling-stacks': [] }),
        'aws:cdk:enable-path-metadata': true,
        ...settings,
      }),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [output, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { isValid: code === 0, output };
};

/** The path of an assembly with these settings. It is deleted when the process exits. Throws if the app reports errors. */
export const assemblyWith = async (settings: Readonly<Record<string, string>>, isBundled = false): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'passpost-assembly-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const { isValid, output } = await writeAssembly(folder, settings, isBundled);
  if (!isValid) throw new Error(output);
  return folder;
};
