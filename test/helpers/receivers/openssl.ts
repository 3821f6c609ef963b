import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const openssl = (args: readonly string[], input: string): { status: number | null; stdout: string } => {
  const { error, status, stdout } = spawnSync('openssl', args, { input, encoding: 'utf8' });
  if (error) throw new Error(`openssl is needed for this test: ${error.message}`);
  return { status, stdout };
};

/** True if the OpenSSL program verifies a base64 signature of a text, with SHA-256 and a public key as PEM. */
export const opensslVerifies = (text: string, signature: string, publicKeyPem: string): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'passpost-openssl-'));
  try {
    writeFileSync(join(folder, 'key.pem'), publicKeyPem);
    writeFileSync(join(folder, 'signature'), Buffer.from(signature, 'base64'));
    const files = ['-verify', join(folder, 'key.pem'), '-signature', join(folder, 'signature')];
    return openssl(['dgst', '-sha256', ...files], text).status === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** The HMAC of a text by the OpenSSL program, in base64. The key is used as UTF-8 bytes. */
export const opensslHmac = (hash: 'sha256' | 'sha512', key: string, text: string): string => {
  const hexKey = `hexkey:${Buffer.from(key).toString('hex')}`;
  const { stdout } = openssl(['dgst', `-${hash}`, '-mac', 'HMAC', '-macopt', hexKey, '-r'], text);
  return Buffer.from(stdout.split(' ')[0] ?? '', 'hex').toString('base64');
};
