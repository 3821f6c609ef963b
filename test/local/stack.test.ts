import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startStack } from '../../local/stack.ts';
import { type AwsCall, throttled } from '../../local/wiring/interceptor.ts';
import { fixture, until, useStacks } from './recorder.ts';

describe('the local stack', () => {
  const start = useStacks();

  it('lists its functions and queues, returns a table’s name, and has the operator key that the custom resource created', async () => {
    const { stack } = await start();

    expect(stack.functionNames).toEqual(['api', 'mapped-queue', 'mapped-stream', 'tick', 'filled']);
    expect(stack.queueNames).toEqual(['dead-letters', 'work']);
    expect(stack.tableName('TABLE')).toBe('TableABC123');
    expect(stack.tableName('table')).toBe('TableABC123');
    expect(stack.operatorKey).toMatch(/^made /);
  });

  it('kill("api") ends one environment: the hanging request answers 500, and a message is still delivered to another function', async () => {
    const { stack, get, recorder, send } = await start();
    const hanging = get('/things?hang');
    await sleep(300);

    const killed = await stack.kill('api');

    expect(killed).toBe(1);
    expect((await hanging).status).toBe(500);
    await send({ MessageBody: 'still there' });
    await stack.settled();
    expect(recorder.queueBatches.flat()).toHaveLength(1);
  });

  it('tick(date) invokes the scheduled function with that date as the event’s time', async () => {
    const { stack, recorder } = await start();

    await stack.tick(new Date('2026-11-01T10:00:00Z'));

    expect(recorder.ticks).toMatchObject([{ source: 'aws.events', time: '2026-11-01T10:00:00Z' }]);
  });

  it('invokes a scheduled function three times when it fails, because Lambda retries twice by default', async () => {
    const runs = new Map<string, number>();
    await start({
      speed: 6000,
      environment: { RECORDER: 'http://127.0.0.1:1' },
      onInvocation({ functionName, event }) {
        const { id } = event as { id: string };
        if (functionName === 'tick') runs.set(id, (runs.get(id) ?? 0) + 1);
      },
    });

    await until(() => [...runs.values()].includes(3));

    expect(Math.max(...runs.values())).toBe(3);
  });

  it('at speed 600 runs a schedule of one minute at least three times within 2 s', async () => {
    const { recorder } = await start({ speed: 600 });

    await until(() => recorder.ticks.length >= 3, 2000);

    expect(recorder.ticks.length).toBeGreaterThanOrEqual(3);
  });

  it('with strictEgress starts functions without the variable EGRESS_ALLOW, which would allow them to call loopback', async () => {
    const { get } = await start({ strictEgress: true });

    const { body } = await get('/things');

    expect(body.env).not.toHaveProperty('EGRESS_ALLOW');
  });

  it('purge("all") deletes a delayed message', async () => {
    const { stack, send } = await start();
    await send({ MessageBody: 'waits', DelaySeconds: 600 });

    stack.purge('all');

    expect(stack.depth('work').delayed).toBe(0);
  });

  it('passes a function’s AWS calls to the interceptor, which can answer a call with throttling or kill the function', async () => {
    const calls: AwsCall[] = [];
    const { get } = await start({
      interceptor: async (call, forward) => {
        calls.push(call);
        if (call.operation === 'SendMessageBatch') return throttled;
        const answer = await forward();
        if (call.operation === 'PutItem') await call.kill();
        return answer;
      },
    });

    const sent = await get(`/things?send=${encodeURIComponent('[{"Id":"a","MessageBody":"m"}]')}`);
    const put = await get('/things?put=a');

    expect(sent.body).toMatchObject({ status: 400 });
    expect(put.status).toBe(500);
    expect(calls.filter(({ functionName }) => functionName === 'api').map(({ operation }) => operation)).toEqual([
      'SendMessageBatch',
      'PutItem',
    ]);
  });

  it('delivers a written row from the stream although the writing function was killed after its PutItem', async () => {
    const { stack, recorder, get } = await start({
      interceptor: async (call, forward) => {
        const answer = await forward();
        if (call.operation === 'PutItem') await call.kill();
        return answer;
      },
    });

    await get('/things?put=written');
    await stack.settled();

    expect(recorder.streamBatches.flat().map(({ id }) => id)).toEqual(['written']);
  });

  it('startStack rejects with an error that names the port in use, the folder without a synthesised stack, or the failed custom resource', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    const { port } = server.address() as AddressInfo;

    await expect(startStack({ assembly: fixture, port })).rejects.toThrow(`Port ${port} is in use`);
    await expect(startStack({ assembly: '/nowhere' })).rejects.toThrow('There is no synthesised stack in /nowhere');
    await expect(startStack({ assembly: fixture, environment: { REFUSE: 'no keys today' } })).rejects.toThrow(
      'The custom resource filled-once could not be created: no keys today',
    );
    server.close();
  });
});
