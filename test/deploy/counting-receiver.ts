import { text } from 'node:stream/consumers';
import { serveOnLoopback } from '../../deploy/loopback-server.ts';

/** A receiver on loopback that tells events apart by the `n` their publisher gave them. */
export interface CountingReceiver {
  readonly url: string;
  /** Requests answered with 200, by event. */
  readonly taken: ReadonlyMap<number, number>;
  /** Requests refused, by event. */
  readonly refused: ReadonlyMap<number, number>;
  /** Whether it refuses, asked at each request. */
  refuses: (seenBefore: boolean) => boolean;
  stop(): Promise<void>;
}

export const startCountingReceiver = async (refuses: (seenBefore: boolean) => boolean): Promise<CountingReceiver> => {
  const taken = new Map<number, number>();
  const refused = new Map<number, number>();
  const server = await serveOnLoopback(async (request, response) => {
    const { n } = JSON.parse(await text(request)).data as { n: number };
    const isRefused = receiver.refuses(refused.has(n) || taken.has(n));
    const counts = isRefused ? refused : taken;
    counts.set(n, (counts.get(n) ?? 0) + 1);
    response.writeHead(isRefused ? 503 : 200).end();
  });
  const receiver: CountingReceiver = {
    url: `${server.url}/webhooks`,
    taken,
    refused,
    refuses,
    stop: server.stop,
  };
  return receiver;
};
