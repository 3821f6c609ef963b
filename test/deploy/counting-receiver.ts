import { text } from 'node:stream/consumers';
import { serveOnLoopback } from '../../deploy/loopback-server.ts';

/** A receiver on loopback that counts requests by the field `n` of the event. */
export interface CountingReceiver {
  readonly url: string;
  /** Number of requests answered with 200, by event. */
  readonly accepted: ReadonlyMap<number, number>;
  /** Number of requests answered with 503, by event. */
  readonly refused: ReadonlyMap<number, number>;
  /** Decides for each request whether it is refused. Tests may replace it. */
  refuses: (seenBefore: boolean) => boolean;
  stop(): Promise<void>;
}

export const startCountingReceiver = async (refuses: (seenBefore: boolean) => boolean): Promise<CountingReceiver> => {
  const accepted = new Map<number, number>();
  const refused = new Map<number, number>();
  const server = await serveOnLoopback(async (request, response) => {
    const { n } = JSON.parse(await text(request)).data as { n: number };
    const isRefused = receiver.refuses(refused.has(n) || accepted.has(n));
    const counts = isRefused ? refused : accepted;
    counts.set(n, (counts.get(n) ?? 0) + 1);
    response.writeHead(isRefused ? 503 : 200).end();
  });
  const receiver: CountingReceiver = {
    url: `${server.url}/webhooks`,
    accepted,
    refused,
    refuses,
    stop: server.stop,
  };
  return receiver;
};
