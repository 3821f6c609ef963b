import type { LookupAddress } from 'node:dns';
import { onTestFinished } from 'vitest';
import { createEgress } from '../../lambdas/adapters/sending/egress.ts';
import { createSender } from '../../lambdas/adapters/sending/http-sender.ts';

/** A DNS lookup that resolves every name to 127.0.0.1. */
export const toLoopback = async (): Promise<LookupAddress[]> => [{ address: '127.0.0.1', family: 4 }];

/**
 * Starts a sender that is closed when the test ends, and returns a function that posts to a URL.
 * By default the sender may connect to loopback addresses.
 */
export const start = (options: Partial<Parameters<typeof createEgress>[0]> & { ownHosts?: string[] } = {}) => {
  const egress = createEgress({ allowLoopback: true, ...options });
  onTestFinished(() => egress.close());
  const sender = createSender({ egress, ownHosts: options.ownHosts ?? [] });
  return (
    url: string,
    overrides: { body?: string; timeoutMs?: number; signal?: AbortSignal; headers?: Record<string, string> } = {},
  ) => sender.post({ url, headers: {}, body: '{"a":1}', timeoutMs: 2000, allowHttp: true, ...overrides });
};

/** A complete HTTP response that leaves the connection open. */
export const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
