import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AttemptErrorCode } from '../../domain/deliveries/delivery.ts';
import type { Answer, PostRequest } from '../../domain/sending/attempt-delivery.ts';
import { bareHost, checkWebhookUrl, requestTarget } from '../../domain/webhooks/webhook-url.ts';
import { responseText } from './response-text.ts';
import { tlsReason } from './tls-reason.ts';

// Loads node:http without an import statement: an import reads every member, and one member loads undici, which takes a
// quarter of a function's start.
const http = process.getBuiltinModule('node:http');

/** The rules for outgoing connections, and the agents that open connections by these rules. */
interface Egress {
  readonly allowLoopback: boolean;
  isPublicAddress(address: string): boolean;
  isAllowedAddress(address: string): boolean;
  /**
   * Returns the agent that opens connections for a protocol (`http:` or `https:`). If the agent's lookup of a host name
   * fails, the error's `code` is `forbidden_address` or `dns`.
   */
  agentFor(protocol: string, nowMs: number): Agent;
}

export interface SenderOptions {
  readonly egress: Egress;
  /** The host names of this deployment. A webhook must not post to them. */
  readonly ownHosts: readonly string[];
}

export interface Sender {
  /**
   * Sends one POST. Resolves with the response or with the receiver's failure. Rejects when this machine fails or when
   * the signal aborts the POST.
   */
  post(request: PostRequest & { readonly signal?: AbortSignal }): Promise<Answer>;
}

const MAX_BODY_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/**
 * The maximum number of POSTs at the same time, well below the 1,024 file descriptors of a function. Further POSTs
 * wait; their timeout starts when they are sent.
 */
const MAX_IN_FLIGHT = 256;

const messages = {
  timeout: 'The receiver did not answer completely in time.',
  connection_refused: 'The host accepts no connection on this port.',
  dns: 'The host name could not be resolved.',
  tls: 'A trusted TLS connection could not be made.',
  forbidden_address: 'The host is not on the public internet.',
  redirect: 'The receiver answered with a redirect, which is not followed.',
  body_too_large: `The body of the response is larger than ${MAX_BODY_BYTES / 1024} KiB.`,
  headers_too_large: `The headers of the response are larger than ${MAX_HEADER_BYTES / 1024} KiB.`,
  connection_reset: 'The connection ended before the response was complete.',
  not_http: 'The response is not HTTP/1.1.',
} as const satisfies Partial<Record<AttemptErrorCode, string>>;
type SendErrorCode = keyof typeof messages;

/** Error codes for a shortage on this machine, for which the receiver is not responsible. */
const LOCAL_FAILURES = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EACCES', 'EPERM']);

/** The phase of a connection. `securing`: the TCP connection is open and the TLS handshake is running. */
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

/** The result of one request on one connection. */
interface Exchange extends Pick<Answer, 'status' | 'body' | 'retryAfter'> {
  readonly error: SendErrorCode | null;
  /** The reason of the error, if it is known. */
  readonly reason: string | null;
  /**
   * Whether a reused connection ended before the first byte of a response, or answered 408 and closed. Most likely the
   * receiver had given the connection up before the request was sent.
   * https://www.rfc-editor.org/rfc/rfc9110#section-15.5.9
   */
  readonly isStale: boolean;
}

const noResponse = { status: null, body: null, retryAfter: null, reason: null, isStale: false } as const;

/** Returns whether a response says that the receiver waited too long for the request and closes the connection. */
const isIdleTimeout = ({ statusCode, headers }: IncomingMessage): boolean =>
  statusCode === 408 && /(?:^|,)\s*close\s*(?:,|$)/i.test(headers.connection ?? '');

/** Ends an exchange early: a code resolves it with this error of the receiver, an `Error` rejects it. */
type Stop = (reason: SendErrorCode | Error) => void;

/**
 * Follows the connection of a request. `onConnect` gets the remote address of a new connection as soon as it is open.
 */
const watchConnection = (request: ClientRequest, isSecure: boolean, onConnect: (address: string) => void) => {
  let phase: Phase = 'connecting';
  let bytesBefore = 0;
  request.on('socket', (socket) => {
    bytesBefore = socket.bytesRead;
    if (request.reusedSocket) {
      phase = 'ready';
      return;
    }
    socket.once('connect', () => {
      phase = isSecure ? 'securing' : 'ready';
      onConnect(socket.remoteAddress ?? '');
    });
    socket.once('secureConnect', () => {
      phase = 'ready';
    });
  });
  return {
    phase: () => phase,
    /** Whether a byte of the response has arrived. */
    hasResponse: () => (request.socket?.bytesRead ?? 0) > bytesBefore,
  };
};

/** Sends one request on one connection. `onStart` gets the function that ends the exchange early. */
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
    let size = 0;

    // Settles the exchange. Only the first call has an effect: a destroyed request emits further events when the
    // promise is settled already.
    const settle = (error: SendErrorCode | null, reason: string | null = null): void => {
      const isCut = error === 'connection_reset' && !connection.hasResponse();
      resolve({
        status: response?.statusCode ?? null,
        body: response && responseText(Buffer.concat(chunks), response.headers['content-encoding'], MAX_BODY_BYTES),
        retryAfter: response?.headers['retry-after'] ?? null,
        error,
        reason,
        isStale: request.reusedSocket && (isCut || (error === null && response !== null && isIdleTimeout(response))),
      });
      // Closes the connection after an error, and if the receiver answered before it read the whole body, because the
      // rest of the body would block the connection for the next request.
      if (error || !request.writableFinished) request.destroy();
    };
    const stop: Stop = (reason) => {
      if (typeof reason === 'string') return settle(reason);
      reject(reason);
      request.destroy();
    };
    const fail = (error: NodeJS.ErrnoException): void => {
      const code = error.code ?? '';
      if (LOCAL_FAILURES.has(code)) stop(error);
      // Ignores an error after a complete response: the error concerns extra bytes, and the `end` event of the response
      // still follows.
      else if (!response?.complete) {
        const sendError = errorCode(code, connection.phase());
        settle(sendError, sendError === 'tls' ? tlsReason(error) : null);
      }
    };

    const connection = watchConnection(request, isSecure, (address) => {
      // Checks the address of the open connection; the lookup checked the addresses of the name.
      if (!isAllowedAddress(address)) settle('forbidden_address');
    });
    request.on('response', (incoming) => {
      const { statusCode: status = 0 } = incoming;
      response = incoming;
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BODY_BYTES) settle('body_too_large');
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

/**
 * Closes the idle connections of an origin. An agent's name for an origin begins with host and port.
 * https://nodejs.org/api/http.html#agentgetnameoptions
 */
const dropIdle = (agent: Agent, origin: string): void => {
  for (const [name, sockets = []] of Object.entries(agent.freeSockets)) {
    if (name.startsWith(origin)) for (const socket of [...sockets]) socket.destroy();
  }
};

/**
 * Creates the sender of POSTs to untrusted receivers. It connects only to allowed addresses and reads a limited number
 * of bytes. A POST on a stale reused connection is sent a second time, within the same deadline.
 */
export const createSender = ({ egress, ownHosts }: SenderOptions): Sender => {
  const waiting: (() => void)[] = [];
  let inFlight = 0;
  const takeSlot = async (): Promise<void> => {
    if (inFlight < MAX_IN_FLIGHT) inFlight++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const releaseSlot = (): void => {
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
    if (!url) return { ...noResponse, error: 'forbidden_address' };
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
      maxHeaderSize: MAX_HEADER_BYTES,
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
      // Sends the request again on a new connection. The receiver may have processed the first request: delivery is at
      // least once, and both requests carry the same id.
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
        const { isStale: _, error, reason, ...answer } = await send(request, startedAtMs);
        return {
          ...answer,
          startedAtMs,
          durationMs: Math.round(performance.now() - started),
          error: error && { code: error, message: reason ?? messages[error] },
        };
      } finally {
        releaseSlot();
      }
    },
  };
};
