import { copyFileSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type BuildOptions, buildSync } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const functions = join(root, 'lambdas', 'functions');

/** esbuild options of every function. bench/ measures bundles that are built with the same options. */
const bundling: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  // Dynamic imports (most credential providers of the SDK, the JSON Schema validator) become separate files, so a cold
  // start does not read and compile them.
  splitting: true,
  target: 'node24',
  mainFields: ['module', 'main'],
  minify: true,
  entryNames: 'index',
  outExtension: { '.js': '.mjs' },
  // Defines `require`, which CommonJS code of dependencies calls and which an ES module does not have.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
};

/** Bundles one entry into the folder `outdir`, as `index.mjs`. */
export const bundleInto = (
  outdir: string,
  entry: Pick<BuildOptions, 'entryPoints' | 'stdin' | 'metafile' | 'splitting' | 'sourcemap'>,
) => buildSync({ ...bundling, ...entry, outdir, logLevel: 'warning' });

let bundles: string | undefined;

// Bundles all functions with one esbuild process and returns the folder of the bundles. The CDK's NodejsFunction would
// start npx and esbuild for each function.
const bundleAll = (): string => {
  const outdir = realpathSync(mkdtempSync(join(tmpdir(), 'passpost-bundles-')));
  // Removes the folder after the synth, because the CDK copies the bundles into its own output.
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
  for (const name of readdirSync(functions).filter((file) => file.endsWith('.ts'))) {
    bundleInto(join(outdir, basename(name, '.ts')), { entryPoints: [join(functions, name)] });
  }
  // Copies the script and the style of the reference page, which docs-api serves unchanged from its own folder.
  for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css']) {
    copyFileSync(join(root, 'node_modules/swagger-ui-dist', name), join(outdir, 'docs-api', name));
  }
  return outdir;
};

/**
 * Returns the code of `lambdas/functions/<name>.ts` with all imports. It includes the AWS SDK, so the tested version is
 * deployed.
 */
export const bundle = (scope: Construct, name: string): Code => {
  // Skips the bundling in tests of the template, which turn it off (`aws:cdk:bundling-stacks`).
  if (!Stack.of(scope).bundlingRequired) return Code.fromInline('not bundled');
  bundles ??= bundleAll();
  return Code.fromAsset(join(bundles, name));
};
