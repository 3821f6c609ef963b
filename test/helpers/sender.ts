import type { LookupAddress } from 'node:dns';
import { onTestFinished } from 'vitest';
import { createEgress } from '../../lambdas/adapters/sending/egress.ts';
import { createSender } from '../../lambdas/adapters/sending/http-sender.ts';

/** A name server that knows every name as this machine's. */
export const toLoopback = async (): Promise<LookupAddress[]> => [{ address: '127.0.0.1', family: 4 }];

/** A sender until the test is over; it may reach this machine unless the options say otherwise. */
export const start = (options: Partial<Parameters<typeof createEgress>[0]> & { ownHosts?: string[] } = {}) => {
  const egress = createEgress({ allowLoopback: true, ...options });
  onTestFinished(() => egress.close());
  const sender = createSender({ egress, ownHosts: options.ownHosts ?? [] });
  return (
    url: string,
    changed: { body?: string; timeoutMs?: number; signal?: AbortSignal; headers?: Record<string, string> } = {},
  ) => sender.post({ url, headers: {}, body: '{"a":1}', timeoutMs: 2000, allowHttp: true, ...changed });
};

/** A whole answer that keeps its connection. */
export const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
