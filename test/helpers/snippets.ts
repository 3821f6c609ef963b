import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The code blocks of a page of documentation in one language, in their order. */
export const codeBlocks = (page: string, language: string): readonly string[] => {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code);
};

/** What a receiver's `verify` is called with: texts, headers by name, and raw bodies. */
export type Argument = string | Readonly<Record<string, string>> | Buffer;

const run = (command: string, args: readonly string[], calls: readonly (readonly Argument[])[]): unknown[] => {
  const input = calls.map((call) =>
    call.map((argument) => (Buffer.isBuffer(argument) ? { base64: argument.toString('base64') } : argument)),
  );
  const { error, status, stdout, stderr } = spawnSync(command, [...args, JSON.stringify(input)], { encoding: 'utf8' });
  if (error) throw new Error(`${command} is needed to run what the documentation shows: ${error.message}`);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
};

const javascriptEnd = `
const toArgument = (given) => (given?.base64 === undefined ? given : Buffer.from(given.base64, 'base64'));
console.log(JSON.stringify(JSON.parse(process.argv[1]).map((call) => verify(...call.map(toArgument)))));
`;

const pythonEnd = `
import base64, json, sys
to_argument = lambda given: base64.b64decode(given["base64"]) if "base64" in given and isinstance(given, dict) else given
print(json.dumps([verify(*map(to_argument, call)) for call in json.loads(sys.argv[1])]))
`;

/** Runs the `verify` of a code block for each call, as a program of its own. */
export const snippetRunners: Readonly<
  Record<'js' | 'python', (code: string, calls: readonly (readonly Argument[])[]) => unknown[]>
> = {
  js: (code, calls) => run('node', ['--input-type=module', '-e', code + javascriptEnd], calls),
  python: (code, calls) => run('python3', ['-c', code + pythonEnd], calls),
};

/** Python's usual library for public keys; not every machine has it. */
export const hasPythonCryptography = spawnSync('python3', ['-c', 'import cryptography']).status === 0;
