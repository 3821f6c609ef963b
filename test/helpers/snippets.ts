import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Returns the code blocks of one language in a page of docs/, in the order of the page. */
export const codeBlocks = (page: string, language: string): readonly string[] => {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code);
};

/** An argument of a receiver's `verify` function: a string, headers by name, or a raw body. */
export type Argument = string | Readonly<Record<string, string>> | Buffer;

const run = (command: string, args: readonly string[], calls: readonly (readonly Argument[])[]): unknown[] => {
  const input = calls.map((call) =>
    call.map((argument) => (Buffer.isBuffer(argument) ? { base64: argument.toString('base64') } : argument)),
  );
  const { error, status, stdout, stderr } = spawnSync(command, [...args, JSON.stringify(input)], { encoding: 'utf8' });
  if (error) throw new Error(`${command} is needed to run the code blocks of the documentation: ${error.message}`);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
};

const javascriptEnd = `
const toArgument = (value) => (value?.base64 === undefined ? value : Buffer.from(value.base64, 'base64'));
console.log(JSON.stringify(JSON.parse(process.argv[1]).map((call) => verify(...call.map(toArgument)))));
`;

const pythonEnd = `
import base64, json, sys
to_argument = lambda value: base64.b64decode(value["base64"]) if "base64" in value and isinstance(value, dict) else value
print(json.dumps([verify(*map(to_argument, call)) for call in json.loads(sys.argv[1])]))
`;

/** Runs a code block in its own process, calls its `verify` function once for each argument list and returns the results. */
export const snippetRunners: Readonly<
  Record<'js' | 'python', (code: string, calls: readonly (readonly Argument[])[]) => unknown[]>
> = {
  js: (code, calls) => run('node', ['--input-type=module', '-e', code + javascriptEnd], calls),
  python: (code, calls) => run('python3', ['-c', code + pythonEnd], calls),
};

/** Whether Python's `cryptography` package is installed. Python verifiers of public-key signatures need it. */
export const hasPythonCryptography = spawnSync('python3', ['-c', 'import cryptography']).status === 0;
