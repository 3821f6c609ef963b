import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const output = join(root, 'cdk.out');
const inputs = ['bin', 'lib', 'lambdas', 'cdk.json', 'package-lock.json'];
/** Written after a synth that succeeded, with the time at which it began: the CLI's own files are there after a failed one, too. */
const stamp = join(output, 'synthesised-at');
const lock = join(root, 'node_modules', '.synth-lock');

const newestMs = (path: string): number => {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  // A folder's own time tells of a file that was removed.
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
};

/** Whether something the stack is made of has changed since it was synthesised. */
export const isSynthStale = (): boolean => {
  try {
    const synthesisedMs = Number(readFileSync(stamp, 'utf8'));
    statSync(join(output, 'manifest.json'));
    return inputs.some((name) => newestMs(join(root, name)) > synthesisedMs);
  } catch {
    return true;
  }
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const tryLock = (): boolean => {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, 'pid'), String(process.pid));
    return true;
  } catch {
    return false;
  }
};

const lockOwner = (): number => {
  try {
    return Number(readFileSync(join(lock, 'pid'), 'utf8'));
  } catch {
    return 0;
  }
};

/** Tests run in several processes at once: one synthesises, the others wait for it. */
const takeLock = async (): Promise<void> => {
  for (let tries = 0; !tryLock(); tries++) {
    await sleep(100);
    const owner = lockOwner();
    if (owner > 0 ? !isAlive(owner) : tries > 50) rmSync(lock, { recursive: true, force: true });
  }
};

const synthesise = async (): Promise<void> => {
  const startMs = Date.now();
  const cdk = join(root, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  const child = spawn(process.execPath, [cdk, 'synth', '--quiet', '--strict', '--no-notices', '--output', output], {
    cwd: root,
    env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The stack cannot be synthesised:\n${said.trim()}`);
  writeFileSync(stamp, String(startMs));
};

/** Synthesises the stack into `cdk.out` unless nothing it is made of has changed since. Says where it is. */
export const synthesiseIfStale = async (): Promise<string> => {
  if (!isSynthStale()) return output;
  await takeLock();
  try {
    if (isSynthStale()) await synthesise();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
  return output;
};

if (import.meta.main) {
  try {
    console.log(`Synthesised into ${await synthesiseIfStale()}.`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
