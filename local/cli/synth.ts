import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const output = join(root, 'cdk.out');
const inputs = ['bin', 'lib', 'lambdas', 'cdk.json', 'package-lock.json'];
/**
 * The file that holds the start time of the last successful `cdk synth`, in milliseconds since the epoch. The CDK's own
 * files do not show success, because a failed synth writes them too.
 */
const stamp = join(output, 'synthesised-at');
const lock = join(root, 'node_modules', '.synth-lock');

const newestMs = (path: string): number => {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  // A folder's own modification time counts too, because it changes when a file in the folder is removed.
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
};

/**
 * Returns whether `cdk synth` must run: an input is newer than the last successful synth, or the output is incomplete.
 */
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

/**
 * Waits until this process has the lock for `cdk synth`, and removes the lock of a process that has died. Tests run in
 * several processes at the same time: one process synthesises and the others wait.
 */
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
  let cliOutput = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (cliOutput += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The stack cannot be synthesised:\n${cliOutput.trim()}`);
  writeFileSync(stamp, String(startMs));
};

/** Synthesises the stack into `cdk.out` if an input has changed. Returns the folder; throws if the synth fails. */
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
