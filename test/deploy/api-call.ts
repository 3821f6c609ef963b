import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Call = (
  method: string,
  path: string,
  key: string | null,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<ApiAnswer>;

const TRIES = 5;

/** The emulator removes a function's folder while it replaces the code, and answers a call at that moment with this error. */
const isBeingReplaced = ({ status, body }: ApiAnswer): boolean =>
  status === 502 && body.errorType === 'FileNotFoundError';

/** Returns a function that calls a deployed API. All APIs share the emulator's port, so the host header selects one. */
export const apiCaller = (port: number, apiId: string): Call => {
  const callOnce = createCall(port, apiId);
  return async (...call) => {
    for (let tried = 1; ; tried++) {
      const answer = await callOnce(...call);
      if (!isBeingReplaced(answer) || tried === TRIES) return answer;
      await sleep(500);
    }
  };
};

const createCall =
  (port: number, apiId: string): Call =>
  async (method, path, key, body, headers = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: {
          ...headers,
          host: `${apiId}.execute-api.localhost:${port}`,
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        timeout: 60_000,
      },
      async (incoming) => {
        const content = await text(incoming);
        try {
          resolve({ status: incoming.statusCode ?? 0, body: content === '' ? {} : JSON.parse(content) });
        } catch {
          reject(new Error(`${method} ${path} answered ${incoming.statusCode} without JSON: ${content.slice(0, 300)}`));
        }
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} got no response in time`)));
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  };
