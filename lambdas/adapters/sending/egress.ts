import { type LookupAddress, lookup } from 'node:dns';
import type { Agent } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import ipaddr from 'ipaddr.js';
import { checkAddress } from '../../domain/webhooks/check-address.ts';
import { isLoopbackHost, type WebhookUrlRules } from '../../domain/webhooks/webhook-url.ts';

// Not imported: that reads all of its members, one of which draws in undici, a quarter of a function's start.
const http = process.getBuiltinModule('node:http');

/** What a host stands for. `public`: every address of it may be connected to, and only these. */
export type Resolution =
  | { readonly outcome: 'public'; readonly addresses: readonly LookupAddress[] }
  | { readonly outcome: 'forbidden' }
  | { readonly outcome: 'unresolved' };

export interface ResolveOptions {
  readonly allowLoopback: boolean;
  /** Gives up as `unresolved`. */
  readonly timeoutMs?: number;
  readonly lookup?: (host: string) => Promise<readonly LookupAddress[]>;
}

export interface EgressOptions extends Omit<ResolveOptions, 'timeoutMs'> {
  /** How long a name's addresses serve new connections. */
  readonly dnsCacheMs?: number;
}

/** Connections to hosts nobody vouches for, kept for the next request to the same origin. */
export interface Egress {
  readonly allowLoopback: boolean;
  isPublicAddress(address: string): boolean;
  /** Whether a connection may be to this address. */
  isAllowedAddress(address: string): boolean;
  /** Connects to names by checked addresses alone; an address literal is the caller's to check. */
  agentFor(protocol: string, nowMs: number): Agent;
  close(): void;
}

/** Shorter than the 5 s after which Node's servers, and many others, close an idle connection. */
const IDLE_MS = 4000;
const MOST_IDLE_SOCKETS = 128;
/** A connection is to an address that its name had when it was made. */
const LONGEST_CONNECTION_MS = 60_000;
const MOST_CACHED_NAMES = 500;

// Everything the internet routes today. https://www.iana.org/assignments/ipv6-unicast-address-assignments
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** Whether the text is the address of a host on the public internet, and no translation of another address. */
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

const within = <T>(promise: Promise<T>, timeoutMs: number | undefined, late: T): Promise<T> => {
  if (timeoutMs === undefined) return promise;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<T>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, late);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
};

/** Resolves a host, a name or a literal. One address that is not public forbids them all: which one is used is chance. */
export const resolvePublic = (host: string, options: ResolveOptions): Promise<Resolution> => {
  const judge = (addresses: readonly LookupAddress[]): Resolution => {
    if (addresses.length === 0) return { outcome: 'unresolved' };
    const areAllowed = addresses.every(({ address }) => isAllowed(address, options.allowLoopback));
    return areAllowed ? { outcome: 'public', addresses } : { outcome: 'forbidden' };
  };
  if (ipaddr.isValid(host)) {
    const address = ipaddr.parse(host);
    return Promise.resolve(judge([{ address: address.toString(), family: address.kind() === 'ipv4' ? 4 : 6 }]));
  }
  const unresolved: Resolution = { outcome: 'unresolved' };
  const asked = (options.lookup ?? systemLookup)(host).then(judge, () => unresolved);
  return within(asked, options.timeoutMs, unresolved);
};

/** A resolver that does not answer must not hold whoever registers an address up: every attempt asks again. */
const REGISTRATION_MS = 3000;

/** What is wrong with an address that somebody registers, by its text or by where its name leads. */
export const createAddressCheck =
  ({ allowLoopback, ownHosts }: Pick<WebhookUrlRules, 'allowLoopback' | 'ownHosts'>) =>
  (url: string, allowHttp: WebhookUrlRules['allowHttp']) =>
    checkAddress(url, { allowHttp, allowLoopback, ownHosts, isPublicAddress }, (host) =>
      resolvePublic(host, { allowLoopback, timeoutMs: REGISTRATION_MS }),
    );

/** A lookup that gives checked addresses or fails with `code` `forbidden_address` or `dns`. */
const createPinnedLookup = (options: EgressOptions): LookupFunction => {
  const { dnsCacheMs = 5000 } = options;
  const known = new Map<string, { readonly resolution: Promise<Resolution>; untilMs: number }>();
  const resolve = (host: string): Promise<Resolution> => {
    const last = known.get(host);
    if (last && last.untilMs > Date.now()) return last.resolution;
    // However long a name server takes, it keeps one of the few threads busy, not one for each request.
    const entry = { resolution: resolvePublic(host, options), untilMs: Number.POSITIVE_INFINITY };
    // A resolution never rejects: a failed lookup resolves to `unresolved`.
    void entry.resolution.finally(() => {
      entry.untilMs = Date.now() + dnsCacheMs;
    });
    known.delete(host);
    known.set(host, entry);
    const [oldest] = known.keys();
    if (known.size > MOST_CACHED_NAMES && oldest !== undefined) known.delete(oldest);
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

export const createEgress = (options: EgressOptions): Egress => {
  const shared = { keepAlive: true, timeout: IDLE_MS, lookup: createPinnedLookup(options) };
  const plain = new http.Agent(shared);
  const secure = new https.Agent({ ...shared, ALPNProtocols: ['http/1.1'] });
  const firstKeptMs = new WeakMap<Duplex, number>();
  const idleSinceMs = new WeakMap<Duplex, number>();

  for (const agent of [plain, secure]) {
    const keepSocketAlive = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => unknown;
    agent.keepSocketAlive = (socket: Duplex): boolean => {
      const nowMs = Date.now();
      const sinceMs = firstKeptMs.get(socket) ?? nowMs;
      firstKeptMs.set(socket, sinceMs);
      idleSinceMs.set(socket, nowMs);
      if (nowMs - sinceMs > LONGEST_CONNECTION_MS || countIdle(agent) >= MOST_IDLE_SOCKETS) return false;
      return keepSocketAlive(socket) === true;
    };
  }

  let sweptAtMs = 0;
  // A function that slept had no timers: its idle connections may be dead, and silently so where a NAT dropped them.
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
