import { readFileSync, writeFileSync } from 'node:fs';

/** The local stack's URL and keys, for other programs on this machine. `npm start` writes them to `.local/env`. */
export interface LocalEnv {
  readonly url: string;
  readonly apiKey: string;
  readonly adminKey: string;
}

export const readEnvFile = (file: string): LocalEnv | undefined => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const values = Object.fromEntries(text.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
  const { PASSPOST_URL: url, PASSPOST_API_KEY: apiKey, PASSPOST_ADMIN_KEY: adminKey } = values;
  return url && apiKey && adminKey ? { url, apiKey, adminKey } : undefined;
};

/** Writes the file with mode 0600, because it holds keys. */
export const writeEnvFile = (file: string, { url, apiKey, adminKey }: LocalEnv): void =>
  writeFileSync(file, `PASSPOST_URL=${url}\nPASSPOST_API_KEY=${apiKey}\nPASSPOST_ADMIN_KEY=${adminKey}\n`, {
    mode: 0o600,
  });
