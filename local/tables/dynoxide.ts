import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

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
      `The DynamoDB engine ${name} is not installed: run npm ci, or name any DynamoDB endpoint in DYNAMODB_ENDPOINT.`,
    );
  }
};

/** A port that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port could be had');
  return address.port;
};

/** Starts a DynamoDB engine on loopback. Without a file it keeps its data in memory. */
export const startDynoxide = async (options: { file?: string } = {}): Promise<Dynoxide> => {
  const port = await freePort();
  const args = ['--port', String(port), ...(options.file ? ['--db-path', options.file] : [])];
  // In a process group of its own: Ctrl-C reaches us alone, and we end it when nobody needs it any more.
  const child: ChildProcess = spawn(binary(), args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const endWithUs = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', endWithUs);
  let complaint = '';
  child.stderr?.on('data', (chunk) => {
    complaint = (complaint + chunk).slice(-2000);
  });
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    if (child.exitCode !== null) throw new Error(`The DynamoDB engine stopped at once: ${complaint.trim()}`);
    const isUp = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (isUp) break;
    if (tries === 200) throw new Error(`The DynamoDB engine does not answer at ${endpoint}: ${complaint.trim()}`);
    await sleep(25);
  }
  const stop = async (): Promise<void> => {
    process.off('exit', endWithUs);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await gone;
    clearTimeout(impatience);
  };
  return { endpoint, pid: child.pid ?? 0, stop };
};
