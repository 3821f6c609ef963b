import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { writeAssembly } from './assembly.ts';
import { type FakeAccount, startFakeAws } from './fake-aws.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The environment of a person who has credentials and has chosen a region. */
export const signedIn = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'eu-north-1' };

/**
 * Replaces the CDK's command line: `synth` copies an assembly that was written before, and every call is recorded.
 * `deploy` ends with code 3 if its arguments have fail=1.
 */
const stubOf = (folder: string) => `#!${process.execPath}
const { appendFileSync, cpSync } = require('node:fs');
const args = process.argv.slice(2);
appendFileSync(process.env.CALLS, JSON.stringify(args) + '\\n');
if (args[0] === 'synth') {
  const plan = args.map((arg) => /^plan=(\\w+)$/.exec(arg)?.[1]).find(Boolean) ?? 'default';
  cpSync('${folder}/' + plan, args[args.indexOf('--output') + 1], { recursive: true });
}
process.exit(args[0] === 'deploy' && args.includes('fail=1') ? 3 : 0);
`;

/**
 * Runs bin/deploy.ts as a program, with the answers of AWS over HTTP on loopback. `plans` are settings by name; the
 * assembly of each is written before the tests, and that of `default` is used unless `choose` names another.
 */
export const useDeployCommand = <Name extends string>(
  plans: Readonly<Record<Name | 'default', Readonly<Record<string, string>>>>,
) => {
  const folder = mkdtempSync(join(tmpdir(), 'passpost-preflight-'));
  beforeAll(async () => {
    mkdirSync(join(folder, 'bin'));
    mkdirSync(join(folder, 'home'));
    writeFileSync(join(folder, 'bin', 'cdk'), stubOf(folder), { mode: 0o755 });
    const entries = Object.entries<Readonly<Record<string, string>>>(plans);
    await Promise.all(entries.map(([plan, settings]) => writeAssembly(join(folder, plan), settings)));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Arguments that make the stub return the assembly of this plan. */
  const choose = (plan: Name | 'default') => ['-c', `plan=${plan}`] as const;

  const deploy = async (
    account: FakeAccount,
    args: readonly string[] = [],
    environment: Readonly<Record<string, string>> = signedIn,
  ) => {
    const aws = await startFakeAws(account);
    const calls = join(mkdtempSync(join(folder, 'run-')), 'calls');
    const child = spawn(process.execPath, [join(root, 'bin/deploy.ts'), ...args], {
      env: {
        PATH: [join(folder, 'bin'), dirname(process.execPath)].join(delimiter),
        // An empty home, so that the credentials of this machine are not read.
        HOME: join(folder, 'home'),
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_ENDPOINT_URL: aws.url,
        CALLS: calls,
        ...environment,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [output, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    await aws.stop();
    const ran = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
    return { code, output, calls: aws.calls, ran: ran.map((line) => JSON.parse(line) as string[]) };
  };
  return { folder, choose, deploy };
};
