import { type LookupAddress, lookup } from 'node:dns';
import type { Agent } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import ipaddr from 'ipaddr.js';
import { checkAddress } from '../../domain/webhooks/check-address.ts';
import { isLoopbackHost, type WebhookUrlRules } from '../../domain/webhooks/webhook-url.ts';

// Loads node:http without an import statement: an import reads every member, and one member loads undici, which takes a
// quarter of a function's start.
const http = process.getBuiltinModule('node:http');

/**
 * The result of a name lookup. `public`: every address of the host is allowed, and the connection must use one of them.
 */
export type Resolution =
  | { readonly outcome: 'public'; readonly addresses: readonly LookupAddress[] }
  | { readonly outcome: 'forbidden' }
  | { readonly outcome: 'unresolved' };

export interface ResolveOptions {
  readonly allowLoopback: boolean;
  /** Milliseconds after which the result of the lookup is `unresolved`. */
  readonly timeoutMs?: number;
  readonly lookup?: (host: string) => Promise<readonly LookupAddress[]>;
}

export interface EgressOptions extends Omit<ResolveOptions, 'timeoutMs'> {
  /** Milliseconds for which new connections reuse the addresses of a name. */
  readonly dnsCacheMs?: number;
}

/**
 * The rules for connections to untrusted hosts, and the agents that open these connections. An idle connection is
 * reused for the next request to the same origin.
 */
export interface Egress {
  readonly allowLoopback: boolean;
  isPublicAddress(address: string): boolean;
  /** Returns whether a connection to this address is allowed. */
  isAllowedAddress(address: string): boolean;
  /**
   * Returns the agent for `http:` or `https:`. The agent checks the addresses of a name; the caller must check an
   * address literal.
   */
  agentFor(protocol: string, nowMs: number): Agent;
  close(): void;
}

/**
 * Milliseconds after which an idle connection is closed: less than the 5 s after which Node's servers, and many others,
 * close one.
 */
const IDLE_MS = 4000;
const MAX_IDLE_SOCKETS = 128;
/**
 * The longest time between the first and the last reuse of a connection, in milliseconds. A connection keeps the
 * address that its name had at first, so the limit makes a new address take effect.
 */
const MAX_CONNECTION_AGE_MS = 60_000;
const MAX_CACHED_NAMES = 500;

// The one range of IPv6 that the internet routes today. https://www.iana.org/assignments/ipv6-unicast-address-assignments
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** Returns whether the text is a public internet address. An IPv6 address that embeds an IPv4 address is not public. */
export const isPublicAddress = (text: string): boolean => {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(GLOBAL_IPV6));
};

const isAllowed = (address: string, allowLoopback: boolean): boolean =>
  isPublicAddress(address) || (allowLoopback && isLoopbackHost(address));

const systemLookup = (host: string): Promise<readonly LookupAddress[]> =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

/** Returns the result of a promise, or `fallback` if the promise takes longer than `timeoutMs`. */
const withTimeout = <T>(promise: Promise<T>, timeoutMs: number | undefined, fallback: T): Promise<T> => {
  if (timeoutMs === undefined) return promise;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<T>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, fallback);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
};

/**
 * Resolves a host name or an address literal. One address that is not allowed forbids the whole host, because any of
 * the addresses may be used. Never rejects.
 */
export const resolvePublic = (host: string, options: ResolveOptions): Promise<Resolution> => {
  const classify = (addresses: readonly LookupAddress[]): Resolution => {
    if (addresses.length === 0) return { outcome: 'unresolved' };
    const areAllowed = addresses.every(({ address }) => isAllowed(address, options.allowLoopback));
    return areAllowed ? { outcome: 'public', addresses } : { outcome: 'forbidden' };
  };
  if (ipaddr.isValid(host)) {
    const address = ipaddr.parse(host);
    return Promise.resolve(classify([{ address: address.toString(), family: address.kind() === 'ipv4' ? 4 : 6 }]));
  }
  const unresolved: Resolution = { outcome: 'unresolved' };
  const resolution = (options.lookup ?? systemLookup)(host).then(classify, () => unresolved);
  return withTimeout(resolution, options.timeoutMs, unresolved);
};

/**
 * Milliseconds that a name lookup may take at the registration of a webhook. A name that a slow name server does not
 * resolve in time is accepted, because every attempt resolves the name again.
 */
const REGISTRATION_LOOKUP_MS = 3000;

/**
 * `checkUrl` returns the faults of a URL that a webhook registers: faults of its text and of the addresses of its host.
 */
export const createAddressCheck = ({
  allowLoopback,
  ownHosts,
}: Pick<WebhookUrlRules, 'allowLoopback' | 'ownHosts'>) => ({
  checkUrl: (url: string, allowHttp: WebhookUrlRules['allowHttp']) =>
    checkAddress(url, { allowHttp, allowLoopback, ownHosts, isPublicAddress }, (host) =>
      resolvePublic(host, { allowLoopback, timeoutMs: REGISTRATION_LOOKUP_MS }),
    ),
});

/**
 * Creates the lookup of the agents. The lookup returns checked addresses, or fails with the `code` `forbidden_address`
 * or `dns`.
 */
const pinnedLookup = (options: EgressOptions): LookupFunction => {
  const { dnsCacheMs = 5000 } = options;
  const cache = new Map<string, { readonly resolution: Promise<Resolution>; untilMs: number }>();
  const resolve = (host: string): Promise<Resolution> => {
    const cached = cache.get(host);
    if (cached && cached.untilMs > Date.now()) return cached.resolution;
    // Caches a lookup while it runs, so that a slow name server blocks one of the few lookup threads and not one for
    // each request.
    const entry = { resolution: resolvePublic(host, options), untilMs: Number.POSITIVE_INFINITY };
    // A resolution never rejects: a failed lookup resolves to `unresolved`.
    void entry.resolution.finally(() => {
      entry.untilMs = Date.now() + dnsCacheMs;
    });
    cache.delete(host);
    cache.set(host, entry);
    const [oldest] = cache.keys();
    if (cache.size > MAX_CACHED_NAMES && oldest !== undefined) cache.delete(oldest);
    return entry.resolution;
  };
  return (host, { all }, callback) => {
    const answer = (resolution: Resolution): void => {
      const [first] = resolution.outcome === 'public' ? resolution.addresses : [];
      if (resolution.outcome !== 'public' || !first) {
        const code = resolution.outcome === 'forbidden' ? 'forbidden_address' : 'dns';
        callback(Object.assign(new Error(code), { code }), []);
      } else if (all) callback(null, [...resolution.addresses]);
      else callback(null, first.address, first.family);
    };
    void resolve(host).then(answer);
  };
};

const countIdle = (agent: Agent): number => {
  let count = 0;
  for (const origin in agent.freeSockets) count += agent.freeSockets[origin]?.length ?? 0;
  return count;
};

/**
 * Makes the agents for untrusted hosts, with checked addresses, keep-alive and HTTP/1.1. `close` ends every connection.
 */
export const createEgress = (options: EgressOptions): Egress => {
  const shared = { keepAlive: true, timeout: IDLE_MS, lookup: pinnedLookup(options) };
  const plain = new http.Agent(shared);
  const secure = new https.Agent({ ...shared, ALPNProtocols: ['http/1.1'] });
  const firstIdleMs = new WeakMap<Duplex, number>();
  const idleSinceMs = new WeakMap<Duplex, number>();

  for (const agent of [plain, secure]) {
    const keepSocketAlive = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => unknown;
    agent.keepSocketAlive = (socket: Duplex): boolean => {
      const nowMs = Date.now();
      const sinceMs = firstIdleMs.get(socket) ?? nowMs;
      firstIdleMs.set(socket, sinceMs);
      idleSinceMs.set(socket, nowMs);
      if (nowMs - sinceMs > MAX_CONNECTION_AGE_MS || countIdle(agent) >= MAX_IDLE_SOCKETS) return false;
      return keepSocketAlive(socket) === true;
    };
  }

  let sweptAtMs = 0;
  // Closes connections that were idle for too long. Timers do not run while a function is frozen, so idle connections
  // may be dead; a NAT drops them without a sign.
  const dropOldSockets = (nowMs: number): void => {
    if (nowMs - sweptAtMs < IDLE_MS / 4) return;
    sweptAtMs = nowMs;
    const idle = [plain, secure].flatMap((agent) => Object.values(agent.freeSockets));
    for (const socket of idle.flatMap((sockets) => sockets ?? [])) {
      if (nowMs - (idleSinceMs.get(socket) ?? 0) > IDLE_MS) socket.destroy();
    }
  };

  return {
    allowLoopback: options.allowLoopback,
    isPublicAddress,
    isAllowedAddress: (address) => isAllowed(address, options.allowLoopback),
    agentFor(protocol, nowMs) {
      dropOldSockets(nowMs);
      return protocol === 'https:' ? secure : plain;
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
};
