import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { context: flags } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));

/** Runs the app itself, with both rule packs and CloudFormation's own checks, as `cdk synth -c …` does; without the functions' code unless it is asked for. */
export const writeAssembly = async (
  outdir: string,
  settings: Readonly<Record<string, string>> = {},
  isBundled = false,
): Promise<{ readonly isValid: boolean; readonly said: string }> => {
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
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { isValid: code === 0, said };
};

/** The stack with these settings; for the life of this process. */
export const assemblyWith = async (settings: Readonly<Record<string, string>>, isBundled = false): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'passpost-assembly-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const { isValid, said } = await writeAssembly(folder, settings, isBundled);
  if (!isValid) throw new Error(said);
  return folder;
};
