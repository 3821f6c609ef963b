import type { Context, DynamoDBRecord } from 'aws-lambda';
import { afterAll, beforeAll, vi } from 'vitest';
import { env } from '../../lambdas/runtime/env.ts';
import { type InterceptorProxy, startInterceptorProxy } from '../../local/wiring/interceptor.ts';
import { createUseRecorder } from '../privilege/recorder.ts';
import type { Tables } from './tables.ts';

type Handler = (event: unknown, context: Context) => Promise<unknown>;

/**
 * Loads the deployed functions roll-up and fan-out with the test's tables, and records their calls. The deliveries queue
 * accepts every message; `sent` holds the ids of their deliveries.
 */
export const useEngineFunctions = (tables: Tables) => {
  const recorder = createUseRecorder(['roll-up', 'fan-out'], (name) =>
    [tables.domainTable, tables.deliveryTable].includes(name) ? `${name}-table` : name,
  );
  const sent: string[] = [];
  let proxy: InterceptorProxy;
  const handlers = new Map<string, Handler>();
  beforeAll(async () => {
    const pass = recorder.before(async ({ service, input }, forward) => {
      if (service !== 'sqs') return forward();
      const entries = input.Entries as readonly { readonly Id: string; readonly MessageBody: string }[];
      sent.push(...entries.map(({ MessageBody }) => String(JSON.parse(MessageBody).d)));
      return { status: 200, body: { Successful: entries.map(({ Id }) => ({ Id, MessageId: Id })) } };
    });
    proxy = await startInterceptorProxy({ dynamodb: tables.endpoint }, pass, async () => undefined);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', proxy.endpoint);
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', proxy.endpoint);
    vi.stubEnv(env.domainTable, tables.domainTable);
    vi.stubEnv(env.deliveryTable, tables.deliveryTable);
    vi.stubEnv(env.deliveriesQueueUrl, `${proxy.endpoint}/000000000000/deliveries`);
    vi.stubEnv(env.failuresQueueUrl, `${proxy.endpoint}/000000000000/failures`);
    vi.stubEnv(env.retentionDays, '30');
  });
  afterAll(async () => {
    await proxy?.stop();
    recorder.leave();
  });

  const invoke = async (name: 'roll-up' | 'fan-out', event: unknown): Promise<unknown> => {
    // The SDK reads the caller's name at the first call of a function.
    vi.stubEnv('AWS_ACCESS_KEY_ID', name);
    const { handler } = handlers.has(name)
      ? { handler: handlers.get(name) }
      : ((await import(`../../lambdas/functions/${name}.ts`)) as { handler: Handler });
    if (!handler) throw new Error(`${name} has no handler`);
    handlers.set(name, handler);
    return handler(event, { getRemainingTimeInMillis: () => 200_000, awsRequestId: 'test' } as Context);
  };
  return {
    sent,
    rollUp: (tickAtMs: number) => invoke('roll-up', { time: new Date(tickAtMs).toISOString() }),
    fanOut: (...Records: DynamoDBRecord[]) => invoke('fan-out', { Records }),
  };
};
