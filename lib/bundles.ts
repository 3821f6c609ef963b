import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { AssetHashType, DockerImage } from 'aws-cdk-lib/core';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const lambdas = join(root, 'lambdas');

let bundles: ReadonlyMap<string, Uint8Array> | undefined;

// All entries in one call: what they share is read and parsed once, and no process is started per function. (The
// CDK's own NodejsFunction starts npx and esbuild for each; with fourteen of them that was most of a synth.)
const bundleAll = (): ReadonlyMap<string, Uint8Array> => {
  const entries = readdirSync(lambdas).filter((name) => name.endsWith('.ts'));
  const { outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: entries.map((name) => join(lambdas, name)),
    outdir: lambdas,
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    outExtension: { '.js': '.mjs' },
    // What is CommonJS inside a dependency calls `require`, which a module does not have.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path, '.mjs'), contents]));
};

/** The code of `lambdas/<name>.ts` with all it imports, the AWS SDK too: what is tested is what runs. */
export const bundle = (name: string): Code =>
  Code.fromAsset(lambdas, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never pulled: the local bundling below always answers. The command tells the CDK's cache one entry from another.
      image: DockerImage.fromRegistry('none'),
      command: [name],
      local: {
        tryBundle: (outputDir) => {
          bundles ??= bundleAll();
          const contents = bundles.get(name);
          if (!contents) throw new Error(`lambdas/${name}.ts does not exist`);
          writeFileSync(join(outputDir, 'index.mjs'), contents);
          return true;
        },
      },
    },
  });
