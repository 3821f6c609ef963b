import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { readEnvFile } from '../state/env-file.ts';
import { callApi, refusalOf } from './api-client.ts';

// `npm run listen` registers a webhook at the local stack and prints each request with the result of the signature
// check that docs/profiles/passpost.md describes.

/**
 * Returns whether the signature header is `sha256=` and the hex HMAC-SHA256 of the body's bytes with the webhook's
 * secret.
 */
export const isSignedWith = (secret: string, body: Buffer, header: string | undefined): boolean => {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const actual = Buffer.from(header ?? '');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
};

const wholeNumber = (name: string, text: string, min: number, max: number): number => {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new Error(`${name} takes a whole number from ${min} to ${max}, not "${text}".`);
};

const listen = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { status: { type: 'string', default: '200' }, port: { type: 'string', default: '0' } },
  });
  const status = wholeNumber('--status', values.status, 200, 599);
  const wantedPort = wholeNumber('--port', values.port, 0, 65_535);
  const env = readEnvFile('.local/env');
  if (!env) throw new Error('The file .local/env does not exist: start the stack first with npm start.');

  let secret = '';
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const header = request.headers['x-passpost-signature'];
    const result = isSignedWith(secret, body, Array.isArray(header) ? undefined : header)
      ? 'The signature is valid'
      : 'THE SIGNATURE IS NOT VALID';
    process.stdout.write(`${new Date().toISOString()} ${result}, and the receiver answered ${status}: ${body}\n`);
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', () => reject(new Error(`Port ${wantedPort} is in use: choose another port with --port.`)));
    server.listen(wantedPort, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  const settings = { url, events: ['*'], profile: 'passpost', allow_http: true, description: 'npm run listen' };
  const answer = await callApi(env.url, env.apiKey, 'POST', '/webhooks', settings).catch(() => {
    throw new Error(`Nothing answers at ${env.url}: start the stack first with npm start.`);
  });
  if (answer.status !== 201) throw new Error(`The webhook could not be registered: ${refusalOf(answer)}.`);
  secret = String(answer.body.secret);
  process.stdout.write(
    `The receiver of the webhook ${answer.body.id} listens at ${url}. Press Ctrl-C to stop it and delete the webhook.\n`,
  );

  const end = async (): Promise<void> => {
    await callApi(env.url, env.apiKey, 'DELETE', `/webhooks/${answer.body.id}`).catch(() => undefined);
    process.exit(0);
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
};

if (import.meta.main) {
  listen().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
}
