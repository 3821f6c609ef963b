import { setTimeout as sleep } from 'node:timers/promises';
import { BatchExecuteStatementCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { createPayloadEraser } from '../../lambdas/adapters/deliveries/erase-payload.ts';
import type { ErasePayloadCommand } from '../../lambdas/domain/deliveries/command.ts';
import type { Json } from '../helpers/api-call.ts';
import { planted, rowsWithPlanted, takeAttempt, useErasure } from '../helpers/erasure.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, aWebhook } from '../helpers/virtual-engine.ts';

const HOUR = 3_600_000;
const long = `${planted.response} ${'x'.repeat(400)}`;
const published = { type: 'task.accepted', data: { name: planted.recipient }, id: 'order-1' };
const meta = { code: 200, message: planted.reason, details: [], retryable: false };

/** Returns a client whose calls throw after the given number of BatchExecuteStatement calls. */
const dyingAfter = (client: DynamoDBClient, calls: number): DynamoDBClient => {
  let left = calls;
  const send = async (command: BatchExecuteStatementCommand) => {
    if (command instanceof BatchExecuteStatementCommand && left-- === 0) throw new Error('killed');
    return client.send(command);
  };
  return new Proxy(client, { get: (target, name) => (name === 'send' ? send : Reflect.get(target, name)) });
};

describe('erasure of the payload of an event, on real tables', () => {
  const tables = useTables();
  const start = useErasure(tables);

  const startPublished = async (answer: Answering) => {
    const stack = await start(answer);
    await stack.engine.addWebhooks(aWebhook());
    const { id } = await stack.callOk('POST', '/events', published);
    return { ...stack, id };
  };

  it.each([
    ['with a short response body', planted.response],
    ['with a response body of 425 characters', long],
  ])(
    'an attempt %s that is under way during the erasure, after an earlier refusal, is not recorded: no row holds a planted string, and the delivery is cancelled',
    async (_what, body) => {
      const during = { erase: async (): Promise<unknown> => undefined };
      const { engine, callOk, carry, statuses, id } = await startPublished(async (_post, number) => {
        if (number === 2) await during.erase();
        return { status: 500, body };
      });
      await carry();
      await engine.passUntil(engine.now() + 1000);
      expect(await rowsWithPlanted(tables)).toHaveLength(2);
      during.erase = async () => {
        await callOk('DELETE', `/events/${id}/payload`);
        await carry();
      };

      await engine.passUntil(engine.now() + 24 * HOUR);

      expect(engine.posts).toHaveLength(2);
      expect(engine.outcomes.at(-1)?.outcome).toBe('superseded');
      expect(await rowsWithPlanted(tables)).toEqual([]);
      expect(await statuses()).toEqual(['cancelled']);
    },
  );

  it('a command that dies after it cancelled a delivery with an attempt under way, and runs again, leaves no planted string either', async () => {
    const during = { erase: async (): Promise<unknown> => undefined };
    const { engine, callOk, changed, carry, carryRows, statuses, id } = await startPublished(async () => {
      await during.erase();
      return { status: 500, body: long };
    });
    await carry();
    const names = { domain: tables.domainTable, delivery: tables.deliveryTable };
    during.erase = async () => {
      await callOk('DELETE', `/events/${id}/payload`);
      const [command] = await changed();
      const dying = createPayloadEraser(dyingAfter(tables.client, 1), names, 30);
      await expect(dying.erasePayload(command as ErasePayloadCommand, engine.now())).rejects.toThrow('killed');
      expect(await statuses()).toEqual(['cancelled']);
      await carryRows([command ?? {}]);
    };

    await engine.passUntil(engine.now() + HOUR);

    expect(engine.outcomes.at(-1)?.outcome).toBe('superseded');
    expect(await rowsWithPlanted(tables)).toEqual([]);
    const { deliveries } = await callOk('GET', `/events/${id}`);
    expect((await callOk('GET', `/deliveries/${deliveries[0].id}`)).attempts).toEqual([]);
  });

  it('the erasure of an event that is being recorded waits for the row of the attempt that is written after the delivery’s row', async () => {
    const { engine, callOk, carry, id } = await startPublished(() => ({ status: 500, body: long }));
    await carry();
    await engine.passUntil(engine.now() + 1000);
    const { deliveries } = await callOk('GET', `/events/${id}`);
    const attempt = await takeAttempt(tables, deliveries[0].id);
    await callOk('DELETE', `/events/${id}/payload`);

    await Promise.all([carry(), sleep(150).then(attempt.putBack)]);

    expect(await rowsWithPlanted(tables)).toEqual([]);
  });

  it.each([
    ['before', true],
    ['after', false],
  ])(
    'a replay that was requested before the erasure, and that the fan-out carries out %s it, sends nothing and brings nothing back',
    async (_when, isReplayFirst) => {
      const { engine, callOk, changed, carry, carryRows, statuses, id } = await startPublished(() => ({
        status: 200,
        body: planted.response,
      }));
      await carry();
      await engine.passUntil(engine.now() + 1000);
      await callOk('POST', `/events/${id}/replay`);
      const replay = await changed();
      expect(replay.map(({ type }) => type)).toEqual(['redeliver']);
      const posts = engine.posts.length;

      if (isReplayFirst) await carryRows(replay);
      await callOk('DELETE', `/events/${id}/payload`);
      await carry();
      if (!isReplayFirst) await carryRows(replay);
      await engine.passUntil(engine.now() + HOUR);

      expect(engine.posts).toHaveLength(posts);
      expect(await rowsWithPlanted(tables)).toEqual([]);
      expect(await statuses()).toEqual(['delivered']);
    },
  );

  it('DELETE /events/{id}/payload of a job’s result erases input, meta and data of the job; GET shows null, and the repeated POST /jobs answers 202 without them', async () => {
    const { engine, call, callOk, carry } = await start(() => ({ status: 200, body: planted.response }));
    await engine.addWebhooks(aWebhook({ events: ['calculate_rates'], profile: 'postmen' }));
    const job = { type: 'calculate_rates', input: { to: planted.input }, async: true };
    const { id } = await callOk('POST', '/jobs', job, { 'idempotency-key': 'one' });
    await callOk('POST', `/jobs/${id}/complete`, { meta, data: { rates: planted.result } });
    await carry();
    await engine.passUntil(engine.now() + 1000);
    const before = new Set((await rowsWithPlanted(tables)).map(({ kind }) => kind));
    const { data } = await callOk('GET', '/events');
    const event = data.find(({ type }: Json) => type === 'calculate_rates');

    expect((await call('DELETE', `/events/${event.id}/payload`)).status).toBe(204);
    await carry();

    expect(before).toEqual(new Set(['job', 'event', 'delivery']));
    expect(await rowsWithPlanted(tables)).toEqual([]);
    const erased = { input: null, meta: null, data: null };
    expect(await callOk('GET', `/jobs/${id}`)).toMatchObject({ status: 'completed', ...erased });
    const repeated = await call('POST', '/jobs', job, { 'idempotency-key': 'one' });
    expect(repeated).toMatchObject({ status: 202, json: { id, ...erased } });
    expect(engine.posts).toHaveLength(1);
    expect((await call('DELETE', `/events/${event.id}/payload`)).status).toBe(204);
  });
});
