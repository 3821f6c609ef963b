import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Emulator } from './emulator.ts';

const script = fileURLToPath(new URL('../../bin/ops.ts', import.meta.url));

/** Runs the operator's commands on the deployment, as a separate program. */
export const operate = async (emulator: Emulator): Promise<void> => {
  const ops = async (...args: string[]) => {
    const all = [script, ...args, '--stage', 'test', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, all, { env: { ...emulator.environment } });
    return JSON.parse(stdout);
  };

  const rotated = await ops('rotate-keyring');
  assert.match(rotated.sealing_kid, /^\S{16}$/);
  await ops('pause');
  const paused = await ops('status');
  assert.deepEqual(paused.lanes, { deliveries: 'paused', slow: 'paused' });
  await ops('resume');
  assert.deepEqual((await ops('status')).lanes, { deliveries: 'running', slow: 'running' });
  assert.deepEqual(await ops('dead-letters'), { dead_letters: [], failures: [] });
  assert.deepEqual(await ops('redrive', '--all'), { redriven: 0, left: 0 });
};
