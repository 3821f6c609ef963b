import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import './partiql-dialect.ts';

export interface Dynoxide {
  readonly endpoint: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 3000;

const binary = (): string => {
  const name = `@dynoxide/${process.platform}-${process.arch}`;
  try {
    return createRequire(import.meta.url).resolve(`${name}/dynoxide`);
  } catch {
    throw new Error(
      `The DynamoDB engine ${name} is not installed: run npm ci, or set DYNAMODB_ENDPOINT to an existing DynamoDB endpoint.`,
    );
  }
};

/** Returns a loopback port that was free when it was checked. Another process can still take the port. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('there is no free port');
  return address.port;
};

/**
 * Starts a DynamoDB engine on loopback and waits until it answers. Without a file the engine's data is in memory.
 * Throws if the engine does not start.
 */
export const startDynoxide = async (options: { file?: string } = {}): Promise<Dynoxide> => {
  const port = await freePort();
  const args = ['--port', String(port), ...(options.file ? ['--db-path', options.file] : [])];
  // The engine has its own process group, so Ctrl-C reaches only this process, which stops the engine last.
  const child: ChildProcess = spawn(binary(), args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const killEngine = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killEngine);
  let errorOutput = '';
  child.stderr?.on('data', (chunk) => {
    errorOutput = (errorOutput + chunk).slice(-2000);
  });
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    if (child.exitCode !== null) throw new Error(`The DynamoDB engine stopped immediately: ${errorOutput.trim()}`);
    const isUp = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (isUp) break;
    if (tries === 200) throw new Error(`The DynamoDB engine does not answer at ${endpoint}: ${errorOutput.trim()}`);
    await sleep(25);
  }
  const stop = async (): Promise<void> => {
    process.off('exit', killEngine);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const killTimer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(killTimer);
  };
  return { endpoint, pid: child.pid ?? 0, stop };
};
