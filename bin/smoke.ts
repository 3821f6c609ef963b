import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { apiAt } from '../deploy/api.ts';
import { smoke } from '../deploy/smoke.ts';

/**
 * The URL of the receiver that the smoke test uses if the option --receiver is absent. AWS refuses every POST to this
 * URL that is not an AWS request, so the smoke test then sees only that the webhook's request left the deployment and
 * was answered.
 */
const DEFAULT_RECEIVER = 'https://sts.amazonaws.com/';

const usage = `npm run smoke -- --url https://… [--key-file <file>] [--operator] [--receiver https://…] [--listen <port>]

  --url        the deployment's ApiUrl, or PASSPOST_URL
  --key-file   a file with the key; - reads standard input. Without this option the key comes from PASSPOST_API_KEY (an
               account's key with the scopes for keys, webhooks and events) or from PASSPOST_ADMIN_KEY (the operator's
               key; the smoke test then creates an account and deletes it). A key is never an argument, because
               arguments are visible in the shell's history and in the list of processes
  --operator   the key in --key-file is the operator's key
  --receiver   the URL of a receiver that answers 2xx to a webhook. Without this option the webhook goes to an AWS
               address that refuses it, and the smoke test checks only that the request was answered
  --listen     a port on this machine that the receiver's URL leads to, for example through a tunnel. The smoke test
               listens there and verifies the webhook's signature`;

const wholeNumber = (name: string, text: string): number => {
  if (/^\d+$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error(`${name} takes a port, not "${text}".`);
};

const readUrl = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isHere = url?.hostname === '127.0.0.1' || url?.hostname === 'localhost';
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isHere)) return url.origin;
  throw new Error(`--url takes an https address, not "${text}": the key is sent there.`);
};

const readKey = (file: string | undefined, isOperator: boolean): { of: 'operator' | 'account'; value: string } => {
  if (file !== undefined) {
    const value = readFileSync(file === '-' ? 0 : file, 'utf8').trim();
    return { of: isOperator ? 'operator' : 'account', value };
  }
  const { PASSPOST_API_KEY, PASSPOST_ADMIN_KEY } = process.env;
  if (PASSPOST_API_KEY && !isOperator) return { of: 'account', value: PASSPOST_API_KEY };
  if (PASSPOST_ADMIN_KEY) return { of: 'operator', value: PASSPOST_ADMIN_KEY };
  throw new Error(`A key is needed.\n\n${usage}`);
};

const run = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: process.env.PASSPOST_URL ?? '' },
      'key-file': { type: 'string' },
      operator: { type: 'boolean', default: false },
      receiver: { type: 'string' },
      listen: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  if (values.url === '') throw new Error(`--url is needed.\n\n${usage}`);
  if (values.listen !== undefined && values.receiver === undefined) {
    throw new Error('--listen needs --receiver: the URL that leads to this port.');
  }
  await smoke({
    call: apiAt(readUrl(values.url)),
    key: readKey(values['key-file'], values.operator),
    receiver: { url: values.receiver ?? DEFAULT_RECEIVER, accepts: values.receiver !== undefined },
    listen: values.listen === undefined ? null : wholeNumber('--listen', values.listen),
    withinMs: 60_000,
    say: (line) => console.log(line),
  });
};

run().catch((error: Error) => {
  console.error(`✗ ${error.message}`);
  process.exitCode = 1;
});
