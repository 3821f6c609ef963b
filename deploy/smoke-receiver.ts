import { createHmac, timingSafeEqual } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { serveOnLoopback } from './loopback-server.ts';

interface Received {
  readonly body: string;
  readonly signature: string;
}

export interface SmokeReceiver {
  readonly port: number;
  readonly received: readonly Received[];
  stop(): Promise<void>;
}

/**
 * Starts a receiver of webhooks on a loopback port that a tunnel or proxy forwards to. The receiver answers 200 and
 * stores each request's body and signature.
 */
export const startSmokeReceiver = async (port: number): Promise<SmokeReceiver> => {
  const received: Received[] = [];
  const server = await serveOnLoopback(async (request, response) => {
    received.push({ body: await text(request), signature: String(request.headers['passmint-signature'] ?? '') });
    response.writeHead(200).end();
  }, port);
  return { port: server.port, received, stop: server.stop };
};

/**
 * Returns whether a request's signature `t=…,v1=…` is the HMAC-SHA256 of `t.body` with this secret, and `t` is less
 * than five minutes from now. https://passmint.io/docs/webhooks
 */
export const isGenuine = ({ body, signature }: Received, secret: string, nowMs: number): boolean => {
  const [, t = '', v1 = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  const expected = createHmac('sha256', secret).update(`${t}.${body}`).digest();
  const isSigned = timingSafeEqual(expected, Buffer.from(v1.padEnd(64, '0'), 'hex'));
  return isSigned && v1 !== '' && Math.abs(nowMs - Number(t) * 1000) < 300_000;
};
