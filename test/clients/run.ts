import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { callApi } from '../../local/cli/api-client.ts';
import { synthesiseIfStale } from '../../local/cli/synth.ts';
import { startStack } from '../../local/stack.ts';

// Generates clients of the API from its OpenAPI document, in TypeScript and in Python, compiles a program with each in
// strict mode, and runs the programs against the local stack. Installs the generators from npm and PyPI into .local/.

const here = fileURLToPath(new URL('.', import.meta.url));
const work = fileURLToPath(new URL('../../.local/clients', import.meta.url));

const say = (text: string): void => console.log(`clients: ${text}`);

/** Runs a program in a folder, for two minutes at most. Throws with the program's output if the program fails. */
const run = async (folder: string, command: string, ...args: readonly string[]): Promise<void> => {
  try {
    await promisify(execFile)(command, args, { cwd: folder, timeout: 120_000 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
};

/** A language with its generator, and a program that uses the generated client. */
interface Language {
  readonly name: 'typescript' | 'python';
  /** The packages that are installed, with their exact versions. */
  readonly packages: readonly string[];
  install(folder: string): Promise<void>;
  /** Generates the client from openapi.json in the folder, and compiles the program in strict mode. */
  compile(folder: string): Promise<void>;
  /** Runs the program, which throws if an answer is not as expected. */
  run(folder: string, baseUrl: string, key: string): Promise<void>;
}

const python = (folder: string): string => join(folder, 'venv', 'bin', 'python');

const languages: readonly Language[] = [
  {
    name: 'typescript',
    packages: ['openapi-typescript@7.13.0', 'openapi-fetch@0.17.0', 'typescript@5.9.3', '@types/node@24.19.2'],
    async install(folder) {
      writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
      await run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--save-exact', ...this.packages);
    },
    async compile(folder) {
      copyFileSync(join(here, 'typescript', 'main.ts'), join(folder, 'main.ts'));
      await run(folder, 'npx', 'openapi-typescript', 'openapi.json', '--output', 'schema.d.ts');
      const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--skipLibCheck'];
      await run(folder, 'npx', 'tsc', ...strict, '--module', 'nodenext', '--target', 'es2022', '--noEmit', 'main.ts');
    },
    run: (folder, ...args) => run(folder, 'node', 'main.ts', ...args),
  },
  {
    name: 'python',
    packages: ['openapi-python-client==0.29.1', 'mypy==2.4.1'],
    async install(folder) {
      await run(folder, 'python3', '-m', 'venv', '--clear', 'venv');
      await run(
        folder,
        python(folder),
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        ...this.packages,
      );
    },
    async compile(folder) {
      copyFileSync(join(here, 'python', 'main.py'), join(folder, 'main.py'));
      const generator = join('venv', 'bin', 'openapi-python-client');
      await run(
        folder,
        generator,
        'generate',
        '--path',
        'openapi.json',
        '--output-path',
        'passpost',
        '--meta',
        'none',
        '--overwrite',
      );
      await run(folder, python(folder), '-m', 'mypy', '--strict', 'main.py');
    },
    run: (folder, ...args) => run(folder, python(folder), 'main.py', ...args),
  },
];

const assembly = await synthesiseIfStale();
const stack = await startStack({ assembly });
try {
  const account = await callApi(stack.url, stack.operatorKey, 'POST', '/accounts', { name: 'Generated clients' });
  const document = await (await fetch(`${stack.url}/api/public/v1/openapi.json`)).text();
  for (const language of languages) {
    const folder = join(work, language.name);
    const stamp = join(folder, 'packages.json');
    const packages = JSON.stringify(language.packages);
    if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== packages) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      await language.install(folder);
      writeFileSync(stamp, packages);
      say(`${language.name}: installed ${language.packages.join(', ')}`);
    }
    writeFileSync(join(folder, 'openapi.json'), document);
    await language.compile(folder);
    say(`${language.name}: the generated client and its program compile in strict mode`);
    await language.run(folder, stack.url, String(account.body.key));
    say(`${language.name}: the program made a round trip`);
  }
} finally {
  await stack.stop();
}
