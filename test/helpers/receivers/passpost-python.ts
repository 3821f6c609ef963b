import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Verify } from '../profile-contract.ts';

const script = fileURLToPath(new URL('./passpost_verify.py', import.meta.url));

/** The PassPost page's Python receiver, run by python3. */
export const verifyPasspostInPython: Verify = ({ headers, body }, secret) => {
  const input = JSON.stringify({ signature: headers['x-passpost-signature'], secret, body });
  const { error, status, stdout, stderr } = spawnSync('python3', [script], { input, encoding: 'utf8' });
  if (error) throw new Error(`python3 is needed to run the PassPost page's Python receiver: ${error.message}`);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) === true;
};
