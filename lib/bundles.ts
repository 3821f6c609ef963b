import { copyFileSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type BuildOptions, buildSync } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const lambdas = join(root, 'lambdas');

/** How every function is bundled; what measures a bundle makes it the same way. */
export const bundling: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  mainFields: ['module', 'main'],
  minify: true,
  // What is CommonJS inside a dependency calls `require`, which a module does not have.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
};

let bundles: string | undefined;

// All entries in one call: what they share is read and parsed once, and no process is started per function. (The
// CDK's own NodejsFunction starts npx and esbuild for each; with fourteen of them that was half of a synth.)
const bundleAll = (): string => {
  const outdir = realpathSync(mkdtempSync(join(tmpdir(), 'passpost-bundles-')));
  // The CDK copies what it takes, so nothing here is needed once the synth is over.
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
  const names = readdirSync(lambdas).filter((name) => name.endsWith('.ts'));
  buildSync({
    ...bundling,
    entryPoints: names.map((name) => ({ in: join(lambdas, name), out: join(basename(name, '.ts'), 'index') })),
    outdir,
    outExtension: { '.js': '.mjs' },
    logLevel: 'warning',
  });
  // The reference page's script and style are served as they are, so they stand beside the function that serves them.
  for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css']) {
    copyFileSync(join(root, 'node_modules/swagger-ui-dist', name), join(outdir, 'docs-api', name));
  }
  return outdir;
};

/** The code of `lambdas/<name>.ts` with all it imports, the AWS SDK too: what is tested is what runs. */
export const bundle = (scope: Construct, name: string): Code => {
  // Tests of the template set `aws:cdk:bundling-stacks` to none.
  if (!Stack.of(scope).bundlingRequired) return Code.fromInline('not bundled');
  bundles ??= bundleAll();
  return Code.fromAsset(join(bundles, name));
};
