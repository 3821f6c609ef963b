import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { DeliveryTicket } from '../lambdas/domain/deliveries/delivery.ts';

// This process measures its own CPU time. It runs the deployed bundle's handler and the plain POST alternately, with
// the same number of requests at a time.

interface Assignment {
  readonly module: string;
  readonly url: string;
  readonly tickets: readonly DeliveryTicket[];
  readonly rounds: number;
  readonly batch: number;
}

const agent = new Agent({ keepAlive: true });
const body = JSON.stringify({
  id: 'evt',
  type: 'pass.updated',
  created_at: '2026-11-01',
  data: { note: 'x'.repeat(450) },
});

const barePost = (url: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const signature = createHmac('sha256', 'secret').update(body).digest('hex');
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), signature };
    const outgoing = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', resolve);
    });
    outgoing.on('error', reject).end(body);
  });

const messageOf = ({ deliveryId: d, ticket: t, owner: o, eventId: e, dueAtMs: r }: DeliveryTicket) => ({
  messageId: d,
  body: JSON.stringify({ v: 1, d, t, o, e, r }),
  attributes: { ApproximateReceiveCount: '1' },
  eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:deliveries',
});

const cpuOf = async (work: () => Promise<void>): Promise<number> => {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
};

const measure = async ({ module, url, tickets, rounds, batch }: Assignment): Promise<void> => {
  const { handler } = (await import(module)) as { handler: (event: unknown, context: unknown) => Promise<unknown> };
  const context = { awsRequestId: 'bench', getRemainingTimeInMillis: () => 30_000 };
  const perRound = tickets.length / rounds;
  let oursMicros = 0;
  let bareMicros = 0;
  for (let round = 0; round < rounds; round++) {
    const ticketsOfRound = tickets.slice(round * perRound, (round + 1) * perRound);
    const ours = await cpuOf(async () => {
      for (let i = 0; i < ticketsOfRound.length; i += batch) {
        await handler({ Records: ticketsOfRound.slice(i, i + batch).map(messageOf) }, context);
      }
    });
    const bare = await cpuOf(async () => {
      for (let i = 0; i < ticketsOfRound.length; i += batch)
        await Promise.all(Array.from({ length: batch }, () => barePost(url)));
    });
    // Leaves the first measuring round out of the sums, because the code is compiled in this round.
    if (round > 0) {
      oursMicros += ours;
      bareMicros += bare;
    }
  }
  const share = rounds / (rounds - 1);
  process.send?.({ oursMicros: oursMicros * share, bareMicros: bareMicros * share });
};

process.once('message', (assignment: Assignment) => void measure(assignment));
process.on('disconnect', () => process.exit(0));
