import { marshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, it, vi } from 'vitest';
import { deriveId } from '../../lambdas/domain/foundation/id.ts';
import { useEngineFunctions } from '../helpers/engine-functions.ts';
import { aJob, createLossyEngine } from '../helpers/lost-changes.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';

const HOUR = 3_600_000;

describe('the functions roll-up and fan-out, when the stream lost changes', () => {
  const tables = useTables();
  const functions = useEngineFunctions(tables);

  it('roll-up fans out a lost task, template update, job result and two published events and submits a lost command again, logs and counts them; fan-out carries the command out once', async () => {
    const lines: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    vi.spyOn(console, 'log').mockImplementation((text) => void lines.push(String(text)));
    const startMs = Math.floor(Date.now() / HOUR) * HOUR - 3 * HOUR;
    const engine = await createLossyEngine(tables, startMs);
    const events = ['task.created', 'pass_template_updated', 'calculate_rates', 'order.paid'];
    const webhook = aWebhook({ events }, startMs - HOUR);
    await engine.addWebhooks(webhook);
    await engine.addTask();
    await engine.updateTemplate('gold');
    await engine.jobs.add(aJob(engine.owner, engine.now()));
    await engine.addEvent({ type: 'order.paid' });
    await engine.addEvent({ type: 'order.paid', id: deriveId('evt', 'order 7') });
    const release = { id: 'release#1', owner: engine.owner, type: 'release' as const, webhook_id: webhook.id };
    await engine.addCommand(release);

    await functions.rollUp(startMs + 2 * HOUR);
    await functions.rollUp(startMs + 2 * HOUR + 5 * 60_000);
    const resubmitted = await engine.readCommand(release.id);
    const record = { eventName: 'MODIFY', dynamodb: { NewImage: marshall(resubmitted) } } as DynamoDBRecord;
    await functions.fanOut(record);
    const done = await engine.readCommand(release.id);
    await functions.fanOut(record);
    vi.restoreAllMocks();

    const read = (name: string) => lines.filter((line) => line.includes(name)).map((line) => JSON.parse(line));
    expect(read('"changes.resubmitted"')).toEqual([
      { level: 'warn', name: 'changes.resubmitted', events: 5, deliveries: 5, commands: 1 },
    ]);
    expect(read('"LostChanges"')).toMatchObject([{ LostChanges: 6 }]);
    expect(new Set(functions.sent).size).toBe(5);
    expect(functions.sent).toHaveLength(5);
    expect(done).toMatchObject({ done_at: expect.any(Number), resubmitted_at: expect.any(Number) });
    expect(await engine.readCommand(release.id)).toEqual(done);
    expect(read('"record.unreadable"')).toEqual([]);
  });
});
