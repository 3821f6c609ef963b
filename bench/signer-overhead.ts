import { fork } from 'node:child_process';
import { once } from 'node:events';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createFanOutStore } from '../lambdas/adapters/fan-out/fan-out-store.ts';
import { newDelivery, ticketOf } from '../lambdas/domain/deliveries/delivery.ts';
import type { StoredEvent } from '../lambdas/domain/events/event.ts';
import { deriveTimedId } from '../lambdas/domain/foundation/id.ts';
import { startBench } from './bench-stack.ts';
import { type Figures, round } from './figures.ts';

const ROUNDS = 20;
const BATCHES_A_ROUND = 20;

/**
 * Measures the deliver function's CPU time per delivery (read, sign, send, record), compared with a plain keep-alive
 * POST with an HMAC. One process does both alternately, with `batch` deliveries per invocation. The rows are written
 * without messages, so that the stack itself does not deliver them.
 */
export const signerOverhead = async (batch = 10): Promise<Figures> => {
  const bench = await startBench();
  try {
    const webhookId = await bench.addWebhook('/quick', ['pass.updated']);
    const owner = `${bench.accountId}#live`;
    const definition = bench.stack.definitionOf('deliver');
    const client = new DynamoDBClient({
      endpoint: bench.stack.dynamoEndpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const tables = {
      domain: definition.environment.DOMAIN_TABLE ?? '',
      delivery: definition.environment.DELIVERY_TABLE ?? '',
    };
    const rows = createFanOutStore(client, tables, 30, () => false);
    const nowMs = Date.now();
    const events = Array.from(
      { length: ROUNDS * BATCHES_A_ROUND * 10 },
      (_, i): StoredEvent => ({
        id: deriveTimedId('evt', nowMs, String(i)),
        owner,
        customer: null,
        origin: 'change',
        type: 'pass.updated',
        resource: null,
        data: JSON.stringify({ pass: { id: `pass_${i}`, note: 'x'.repeat(400) } }),
        meta: null,
        publisher_id: null,
        sequence: null,
        created_at: new Date(nowMs).toISOString(),
      }),
    );
    const deliveries = events.map((event) => newDelivery(event, webhookId));
    await rows.add(events, deliveries, nowMs);
    const child = fork(new URL('./signer-process.ts', import.meta.url), [], {
      env: { ...process.env, ...definition.environment },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.send({
      module: definition.module,
      url: `${bench.receiverUrl}/quick`,
      tickets: deliveries.map(ticketOf),
      rounds: ROUNDS,
      batch,
    });
    const [{ oursMicros, bareMicros }] = (await once(child, 'message')) as [{ oursMicros: number; bareMicros: number }];
    child.disconnect();
    return {
      deliver_cpu_us: round(oursMicros / events.length),
      bare_post_and_hmac_cpu_us: round(bareMicros / events.length),
      ratio: round(oursMicros / bareMicros),
    };
  } finally {
    await bench.stop();
  }
};
