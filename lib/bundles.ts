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

/** How a function is bundled; what measures a bundle makes it the same way. */
const bundling: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  // What is imported only when it is needed (most of how the SDK finds credentials, a schema's checker) stays in files of
  // its own: a start reads and compiles the others.
  splitting: true,
  target: 'node24',
  mainFields: ['module', 'main'],
  minify: true,
  entryNames: 'index',
  outExtension: { '.js': '.mjs' },
  // What is CommonJS inside a dependency calls `require`, which a module does not have.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
};

/** Bundles a function into a folder of its own, whose `index.mjs` it is. */
export const bundleInto = (
  outdir: string,
  entry: Pick<BuildOptions, 'entryPoints' | 'stdin' | 'metafile' | 'splitting'>,
) => buildSync({ ...bundling, ...entry, outdir, logLevel: 'warning' });

let bundles: string | undefined;

// One after the other, by one esbuild: the CDK's own NodejsFunction starts npx and esbuild for each.
const bundleAll = (): string => {
  const outdir = realpathSync(mkdtempSync(join(tmpdir(), 'passpost-bundles-')));
  // The CDK copies what it takes, so nothing here is needed once the synth is over.
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
  for (const name of readdirSync(functions).filter((file) => file.endsWith('.ts'))) {
    bundleInto(join(outdir, basename(name, '.ts')), { entryPoints: [join(functions, name)] });
  }
  // The reference page's script and style are served as they are, so they stand beside the function that serves them.
  for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css']) {
    copyFileSync(join(root, 'node_modules/swagger-ui-dist', name), join(outdir, 'docs-api', name));
  }
  return outdir;
};

/** The code of `lambdas/functions/<name>.ts` with all it imports, the AWS SDK too: what is tested is what runs. */
export const bundle = (scope: Construct, name: string): Code => {
  // Tests of the template set `aws:cdk:bundling-stacks` to none.
  if (!Stack.of(scope).bundlingRequired) return Code.fromInline('not bundled');
  bundles ??= bundleAll();
  return Code.fromAsset(join(bundles, name));
};
