import type { Agent, IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AttemptErrorCode } from '../../domain/deliveries/delivery.ts';
import type { Answer, PostRequest } from '../../domain/sending/attempt-delivery.ts';
import { bareHost, checkWebhookUrl, requestTarget } from '../../domain/webhooks/webhook-url.ts';

// Not imported: that reads all of its members, one of which draws in undici, a quarter of a function's start.
const http = process.getBuiltinModule('node:http');

/** Which connections may be made, and the ones that are kept. */
interface Egress {
  readonly allowLoopback: boolean;
  isPublicAddress(address: string): boolean;
  isAllowedAddress(address: string): boolean;
  /** Its lookup fails with `code` `forbidden_address` or `dns`. */
  agentFor(protocol: string, nowMs: number): Agent;
}

export interface SenderOptions {
  readonly egress: Egress;
  /** Where this deployment answers itself. */
  readonly ownHosts: readonly string[];
}

export interface Sender {
  /** Resolves with whatever the receiver did. Rejects when the failure is ours or the signal's. */
  post(request: PostRequest & { readonly signal?: AbortSignal }): Promise<Answer>;
}

const MOST_BODY_BYTES = 64 * 1024;
const MOST_HEADER_BYTES = 16 * 1024;
const MOST_CODE_POINTS = 2000;
/** POSTs at once, well below the 1,024 descriptors of a function. The next ones wait, and their time does not run yet. */
const MOST_IN_FLIGHT = 256;

const messages = {
  timeout: 'The whole answer did not come in time.',
  connection_refused: 'The host takes no connection on this port.',
  dns: 'The host name could not be resolved.',
  tls: 'No trusted TLS connection could be made.',
  forbidden_address: 'The host is not on the public internet.',
  redirect: 'The receiver answered with a redirect, which is not followed.',
  body_too_large: `The body of the answer is over ${MOST_BODY_BYTES / 1024} KiB.`,
  headers_too_large: `The headers of the answer are over ${MOST_HEADER_BYTES / 1024} KiB.`,
  connection_reset: 'The connection ended before the whole answer.',
  not_http: 'The answer is not HTTP/1.1.',
} as const satisfies Partial<Record<AttemptErrorCode, string>>;
type SendErrorCode = keyof typeof messages;

/** This machine's own shortages: no receiver answers for them. */
const OURS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EACCES', 'EPERM']);

/** `securing`: the connection stands, its TLS does not yet. */
type Phase = 'connecting' | 'securing' | 'ready';

const errorCode = (code: string, phase: Phase): SendErrorCode => {
  if (code in messages) return code as SendErrorCode;
  if (UNREACHABLE.has(code)) return 'connection_refused';
  if (code === 'ETIMEDOUT') return 'timeout';
  if (phase === 'securing' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return 'tls';
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  if (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE') return 'not_http';
  return 'connection_reset';
};

/** The first 2,000 code points; bytes that are no UTF-8 become U+FFFD. No code point has more than four. */
const toText = (chunks: readonly Buffer[]): string => {
  const text = Buffer.concat(chunks).toString('utf8', 0, MOST_CODE_POINTS * 4);
  if (text.length <= MOST_CODE_POINTS) return text;
  let end = 0;
  for (let count = 0; count < MOST_CODE_POINTS && end < text.length; count++) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
};

/** What one connection gave until it was over, well or not. */
interface Exchange extends Pick<Answer, 'status' | 'body' | 'retryAfter'> {
  readonly error: SendErrorCode | null;
  /** A kept connection that ended before it answered anything: most likely it had ended before it was asked. */
  readonly isStale: boolean;
}

const nothing = { status: null, body: null, retryAfter: null, isStale: false } as const;

/** Ends an exchange before its time: with what is to be told of the receiver, or as no exchange at all. */
type Stop = (why: SendErrorCode | Error) => void;

/** One request on one connection. `onStart` gets what ends it early. */
const exchange = (
  options: https.RequestOptions,
  body: string,
  isAllowedAddress: (address: string) => boolean,
  onStart: (stop: Stop) => void,
): Promise<Exchange> =>
  new Promise((resolve, reject) => {
    const isSecure = options.protocol === 'https:';
    const request = (isSecure ? https : http).request(options);
    const chunks: Buffer[] = [];
    let response: IncomingMessage | null = null;
    let phase: Phase = 'connecting';
    let bytesBefore = 0;
    let size = 0;

    // The first call counts: what a destroyed request emits afterwards finds the promise settled.
    const settle = (error: SendErrorCode | null): void => {
      const isAnswered = (request.socket?.bytesRead ?? 0) > bytesBefore;
      resolve({
        status: response?.statusCode ?? null,
        body: response && toText(chunks),
        retryAfter: response?.headers['retry-after'] ?? null,
        error,
        isStale: error === 'connection_reset' && request.reusedSocket && !isAnswered,
      });
      // A receiver that answered without reading everything would keep the connection busy.
      if (error || !request.writableFinished) request.destroy();
    };
    const stop: Stop = (why) => {
      if (typeof why === 'string') return settle(why);
      reject(why);
      request.destroy();
    };
    const fail = (error: NodeJS.ErrnoException): void => {
      const code = error.code ?? '';
      if (OURS.has(code)) stop(error);
      // Bytes after a whole answer are not part of it: its end is still to be read.
      else if (!response?.complete) settle(errorCode(code, phase));
    };

    request.on('socket', (socket) => {
      bytesBefore = socket.bytesRead;
      if (request.reusedSocket) {
        phase = 'ready';
        return;
      }
      socket.once('connect', () => {
        phase = isSecure ? 'securing' : 'ready';
        // The addresses were checked before; this is where the connection really went.
        if (!isAllowedAddress(socket.remoteAddress ?? '')) settle('forbidden_address');
      });
      socket.once('secureConnect', () => {
        phase = 'ready';
      });
    });
    request.on('response', (incoming) => {
      const { statusCode: status = 0 } = incoming;
      response = incoming;
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MOST_BODY_BYTES) settle('body_too_large');
        else chunks.push(chunk);
      });
      incoming.on('end', () => settle(status >= 300 && status < 400 ? 'redirect' : null));
      incoming.on('error', fail);
    });
    request.on('upgrade', () => settle('not_http'));
    request.on('error', fail);
    onStart(stop);
    request.end(body);
  });

/** An agent's name for an origin begins with host and port. https://nodejs.org/api/http.html#agentgetnameoptions */
const dropIdle = (agent: Agent, origin: string): void => {
  for (const [name, sockets = []] of Object.entries(agent.freeSockets)) {
    if (name.startsWith(origin)) for (const socket of [...sockets]) socket.destroy();
  }
};

/** Posts to receivers nobody vouches for: to allowed addresses only, in one deadline, reading no more than it must. */
export const createSender = ({ egress, ownHosts }: SenderOptions): Sender => {
  const waiting: (() => void)[] = [];
  let inFlight = 0;
  const takeSlot = async (): Promise<void> => {
    if (inFlight < MOST_IN_FLIGHT) inFlight++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const giveSlot = (): void => {
    const next = waiting.shift();
    if (next) next();
    else inFlight--;
  };

  const send = async (
    { url: text, headers, body, timeoutMs, allowHttp, signal }: PostRequest & { readonly signal?: AbortSignal },
    startedAtMs: number,
  ): Promise<Exchange> => {
    const { allowLoopback, isPublicAddress, isAllowedAddress } = egress;
    const { url } = checkWebhookUrl(text, { allowHttp, allowLoopback, ownHosts, isPublicAddress });
    if (!url) return { ...nothing, error: 'forbidden_address' };
    signal?.throwIfAborted();

    const agent = egress.agentFor(url.protocol, startedAtMs);
    const host = bareHost(url);
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    const options: https.RequestOptions = {
      protocol: url.protocol,
      host,
      port,
      path: requestTarget(text),
      method: 'POST',
      headers: { ...headers, 'accept-encoding': 'identity' },
      agent,
      maxHeaderSize: MOST_HEADER_BYTES,
    };
    let stop: Stop = () => {};
    const onStart = (started: Stop): void => {
      stop = started;
    };
    const timer = setTimeout(() => stop('timeout'), timeoutMs);
    const abort = (): void =>
      stop(signal?.reason instanceof Error ? signal.reason : new Error('The POST was aborted.'));
    signal?.addEventListener('abort', abort);
    try {
      const first = await exchange(options, body, isAllowedAddress, onStart);
      if (!first.isStale) return first;
      // The receiver may have had it all the same: at least once is the promise, and the id tells the two apart.
      dropIdle(agent, `${host}:${port}:`);
      return await exchange(options, body, isAllowedAddress, onStart);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  };

  return {
    async post(request) {
      await takeSlot();
      const startedAtMs = Date.now();
      const started = performance.now();
      try {
        const { isStale: _, error, ...answer } = await send(request, startedAtMs);
        return {
          ...answer,
          startedAtMs,
          durationMs: Math.round(performance.now() - started),
          error: error && { code: error, message: messages[error] },
        };
      } finally {
        giveSlot();
      }
    },
  };
};
