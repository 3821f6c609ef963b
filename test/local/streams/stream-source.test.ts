import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startDynoxide } from '../../../local/tables/dynoxide.ts';
import { until, useStacks } from '../recorder.ts';

const ids = (batches: readonly (readonly { id: string }[])[]): string[] => batches.flat().map(({ id }) => id);

describe('an event source mapping of a stream on the local stack', () => {
  const start = useStacks();

  it('delivers the two records that pass its filter and not the third record', async () => {
    const { stack, recorder, get } = await start();

    await get('/things?put=a,other-1,b');
    await stack.settled();

    expect(ids(recorder.streamBatches).sort()).toEqual(['a', 'b']);
    expect(recorder.streamBatches[0]?.[0]).toMatchObject({ eventName: 'INSERT' });
  });

  it('delivers the ten changes of each of five keys in the order of the writes', async () => {
    const { stack, recorder, get } = await start();

    for (let round = 0; round < 10; round++) await get('/things?put=a,b,c,d,e');
    await stack.settled();

    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      const seen = recorder.streamBatches.flat().filter((record) => record.id === id);
      expect(seen).toHaveLength(10);
      expect(seen.map(({ n }) => n)).toEqual(seen.map(({ n }) => n).sort((x, y) => x - y));
    }
  });

  it('repeats a record that the function reports as failed, and delivers two records of one key in order', async () => {
    const { stack, recorder, get } = await start();
    await get('/things?put=k');
    await stack.settled();
    recorder.streamBatches.length = 0;
    let isBroken = true;
    recorder.onStream = (batch) => {
      const last = batch.at(-1);
      return isBroken && last ? { batchItemFailures: [{ itemIdentifier: last.sequence }] } : {};
    };

    await get('/things?put=k');
    await get('/things?put=k');
    await until(() => recorder.streamBatches.length >= 3);
    isBroken = false;
    await stack.settled();

    const sequences = recorder.streamBatches.flat().map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual([...sequences].sort((x, y) => x - y));
    expect(new Set(sequences).size).toBe(2);
  });

  it('delivers a record four times when the function throws at the first three deliveries', async () => {
    const { stack, recorder, get, logs } = await start();
    recorder.onStream = () => (recorder.streamBatches.length < 4 ? { error: 'not yet' } : {});

    await get('/things?put=a');
    await stack.settled();

    expect(ids(recorder.streamBatches)).toEqual(['a', 'a', 'a', 'a']);
    expect(logs.filter((line) => line === 'mapped-stream ERROR Error: not yet')).toHaveLength(3);
  });

  it('after a restart delivers the record that had failed, and not the record that was processed before', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'passpost-test-'));
    const first = await start({ dataDir });
    await first.get('/things?put=done');
    await first.stack.settled();
    first.recorder.onStream = () => ({ error: 'down' });
    await first.get('/things?put=pending');
    await until(() => ids(first.recorder.streamBatches).includes('pending'));
    await first.stack.stop();

    const second = await start({ dataDir });
    await second.stack.settled();
    await second.stack.stop();

    expect(ids(second.recorder.streamBatches)).toEqual(['pending']);
    rmSync(dataDir, { recursive: true });
  });

  it('delivers two rows that are written at another DynamoDB endpoint (dynamoEndpoint)', async () => {
    const engine = await startDynoxide();
    const { stack, recorder, get } = await start({ dynamoEndpoint: engine.endpoint });

    await get('/things?put=a,b');
    await stack.settled();
    await stack.stop();
    await engine.stop();

    expect(ids(recorder.streamBatches).sort()).toEqual(['a', 'b']);
  });

  it('delivers the fastest of five changes in less than 50 ms', async () => {
    const { recorder, get } = await start({ warm: true });

    const latencies: number[] = [];
    for (let i = 0; i < 5; i++) {
      const startMs = performance.now();
      recorder.onStream = () => void latencies.push(performance.now() - startMs);
      await get(`/things?put=a${i}`);
      await until(() => latencies.length === i + 1);
    }

    expect(Math.min(...latencies)).toBeLessThan(50);
  });
});
