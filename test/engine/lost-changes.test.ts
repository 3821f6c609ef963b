import { afterEach, describe, expect, it } from 'vitest';
import { RefusedWrite } from '../../lambdas/adapters/aws/refusal.ts';
import { jobKey, taskKey } from '../../lambdas/adapters/rows/table-keys.ts';
import { deriveId } from '../../lambdas/domain/foundation/id.ts';
import { aJob, createLossyEngine } from '../helpers/lost-changes.ts';
import { forgetAccounts } from '../helpers/roll-up.ts';
import { useTables } from '../helpers/tables.ts';
import { aWebhook } from '../helpers/virtual-engine.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const DAY = 24 * HOUR;

const everyTask = ['task.created', 'task.accepted', 'task.picked_up', 'task.delivered', 'task.completed'];

describe('the search for changes that the stream lost, in virtual time', () => {
  const tables = useTables();
  afterEach(() => forgetAccounts(tables));

  // The changes of all accounts are in one index, so each test has a day of its own.
  let day = 0;
  const start = async (events: string[] = [...everyTask, 'order.paid'], over = {}) => {
    const startMs = Date.UTC(2026, 10, 2, 9) + day++ * DAY;
    const engine = await createLossyEngine(tables, startMs);
    const webhook = aWebhook({ events, ...over }, startMs - 10 * MINUTE);
    await engine.addWebhooks(webhook);
    const passTo = (timeMs: number) => engine.passUntil(startMs + timeMs);
    return { engine, webhook, startMs, passTo };
  };

  it('finds three of five changes of a task whose records the stream lost, and both webhooks get each of the five events exactly once', async () => {
    const { engine, webhook, passTo } = await start();
    const other = aWebhook({ events: everyTask, url: 'https://other.example/hook' }, engine.startMs - 10 * MINUTE);
    await engine.addWebhooks(other);
    let task = await engine.addTask();
    for (const [index, status] of (['accepted', 'picked_up', 'delivered', 'completed'] as const).entries()) {
      await passTo((index + 1) * 10 * MINUTE);
      task = await engine.moveTask(task, status);
      if (status === 'accepted' || status === 'delivered') await engine.passRow(taskKey(task.id));
    }
    await passTo(2 * HOUR);
    const report = await engine.search();
    await passTo(2 * HOUR + MINUTE);
    const again = await engine.search();

    expect(report).toMatchObject({ lostChanges: 3, deliveries: 6, refused: [] });
    expect(again).toMatchObject({ lostChanges: 0, deliveries: 0 });
    expect(engine.postedTypes(webhook)).toEqual(everyTask.toSorted());
    expect(engine.postedTypes(other)).toEqual(everyTask.toSorted());
    expect((await engine.storedEvents()).map(({ sequence }) => sequence).toSorted()).toEqual([1, 2, 3, 4, 5]);
  });

  it('writes the same events, apart from their API calls, for the lost changes of a task as the fan-out writes for the changes of an equal task', async () => {
    const { engine, passTo } = await start();
    let task = await engine.addTask();
    let passed = await engine.addTask();
    await engine.passRow(taskKey(passed.id));
    for (const status of ['accepted', 'cancelled'] as const) {
      await engine.passUntil(engine.now() + MINUTE);
      const carrier = { name: 'A courier', phone: null };
      const change = status === 'cancelled' ? { cancel_reason: 'no reply' } : { carrier };
      task = await engine.moveTask(task, status, change);
      passed = await engine.moveTask(passed, status, change);
      await engine.passRow(taskKey(passed.id));
    }
    await passTo(2 * HOUR);
    await engine.search();

    const contents = async (id: string) =>
      (await engine.storedEvents())
        .filter(({ data }) => data.includes(id))
        .map(({ id: _id, call: _call, data, ...rest }) => ({ ...rest, data: data.replaceAll(id, 'tsk_') }))
        .toSorted((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
    expect(await contents(task.id)).toHaveLength(3);
    expect(await contents(task.id)).toEqual(await contents(passed.id));
  });

  it('finds a lost template update and a lost result of an asynchronous job, and the webhook gets both events once', async () => {
    const { engine, webhook, passTo } = await start(['pass_template_updated', 'calculate_rates']);
    await engine.updateTemplate('gold');
    const job = aJob(engine.owner, engine.now());
    await engine.jobs.add(job);
    await engine.jobs.add(aJob(engine.owner, engine.now(), { result_to: 'caller' }));
    await engine.jobs.add(aJob(engine.owner, engine.now(), { erased_at: job.created_at }));

    await passTo(2 * HOUR);
    const report = await engine.search();
    await passTo(2 * HOUR + MINUTE);
    await engine.passRow(jobKey(job.id));
    await passTo(2 * HOUR + 2 * MINUTE);

    expect(report).toMatchObject({ lostChanges: 2, deliveries: 2 });
    expect(engine.postedTypes(webhook)).toEqual(['calculate_rates', 'pass_template_updated']);
  });

  it('finds two published events that the stream lost, one with an id without a time, and sends them to the webhook that existed and not to the one that was created later', async () => {
    const { engine, webhook, passTo } = await start();
    await engine.addEvent({ type: 'order.paid' });
    await engine.addEvent({ type: 'order.paid', id: deriveId('evt', 'order 7'), publisher_id: 'order 7' });
    await engine.addEvent({ type: 'nobody.wants' });
    await passTo(30 * MINUTE);
    const late = aWebhook({ events: ['order.paid'], url: 'https://late.example/hook' }, engine.now());
    await engine.addWebhooks(late);

    await passTo(2 * HOUR);
    const report = await engine.search();
    await passTo(2 * HOUR + MINUTE);

    expect(report).toMatchObject({ lostChanges: 2, deliveries: 2 });
    expect(engine.posts.map(({ url }) => url)).toEqual([webhook.url, webhook.url]);
  });

  it('finds the missing delivery of a webhook that was renamed after the event, and creates none for a webhook whose types were changed after the event', async () => {
    const { engine, startMs, passTo } = await start([]);
    const later = new Date(startMs + 30 * MINUTE).toISOString();
    const older = new Date(startMs - 30 * MINUTE).toISOString();
    const renamed = aWebhook(
      { events: ['order.paid'], url: 'https://renamed.example/', routed_at: older, updated_at: later },
      startMs - HOUR,
    );
    const rerouted = aWebhook(
      { events: ['order.paid'], url: 'https://rerouted.example/', routed_at: later, updated_at: later },
      startMs - HOUR,
    );
    await engine.addWebhooks(renamed, rerouted);
    await engine.addEvent({ type: 'order.paid' });

    await passTo(2 * HOUR);
    await engine.search();
    await passTo(2 * HOUR + MINUTE);

    expect(engine.posts.map(({ url }) => url)).toEqual([renamed.url]);
  });

  it('finds nothing, hour by hour, when the fan-out runs 59 minutes late, and reads nothing of an hour before it ended an hour ago', async () => {
    const { engine, webhook, passTo } = await start();
    await passTo(59 * MINUTE);
    const task = await engine.addTask();
    const event = await engine.addEvent({ type: 'order.paid' });
    const { id } = event;
    await passTo(HOUR + 55 * MINUTE);
    const early = await engine.search();
    await passTo(HOUR + 58 * MINUTE);
    await engine.passRow(taskKey(task.id));
    await engine.fanOut([{ kind: 'event', event, isStored: true }]);
    const reports = [];
    for (let hour = 2; hour <= 6; hour++) {
      await passTo(hour * HOUR);
      reports.push(await engine.search());
    }

    const nothing = { lostChanges: 0, deliveries: 0, lostCommands: 0, refused: [] };
    expect([early, ...reports]).toEqual(Array(6).fill(nothing));
    expect(engine.postedTypes(webhook)).toEqual(['order.paid', 'task.created']);
    expect((await engine.storedEvents()).map((stored) => stored.id)).toContain(id);
  });

  it('revives neither the events of a task whose personal data is erased, nor an event whose payload is deleted, nor an event older than its own retention, and finds the ordinary event beside them', async () => {
    const { engine, passTo } = await start();
    const at = new Date(engine.now()).toISOString();
    const task = await engine.addTask();
    await engine.moveTask(task, 'cancelled', { personal_data_erased_at: at });
    await engine.addEvent({ type: 'order.paid', data: 'null', payload_deleted_at: at });
    await engine.addEvent({ type: 'order.paid', retention_days: 1 });
    const kept = await engine.addEvent({ type: 'order.paid' });
    // The first tick compares the hour before, the next one comes a day late.
    await passTo(HOUR + 59 * MINUTE);
    await engine.search();
    engine.skipTo(engine.startMs + 25 * HOUR);
    const report = await engine.search();

    expect(report).toMatchObject({ lostChanges: 1, deliveries: 1 });
    expect([...engine.messages].map(({ ticket }) => ticket.eventId)).toEqual([kept.id]);
  });

  it('continues where a tick ran out of time: twelve lost changes and events are found in several ticks, each exactly once', async () => {
    const { engine, webhook, passTo } = await start();
    for (let n = 0; n < 6; n++) {
      await engine.addTask();
      await engine.addEvent({ type: 'order.paid' });
    }
    await passTo(2 * HOUR);
    const found: number[] = [];
    for (let tick = 0; tick < 200; tick++) {
      // The time is up after the sixth question, so each tick does a small part of the work.
      let questions = 0;
      found.push((await engine.search(() => questions++ >= 6)).lostChanges);
    }
    await passTo(2 * HOUR + MINUTE);

    expect(found.filter((count) => count > 0).length).toBeGreaterThan(2);
    expect(found.reduce((sum, count) => sum + count)).toBe(12);
    expect(engine.posts).toHaveLength(12);
    expect(engine.postedTypes(webhook).filter((type) => type === 'order.paid')).toHaveLength(6);
  });

  it('reports an event whose rows DynamoDB refuses, finds the other lost event in the same tick, and does not read the hour again', async () => {
    const { engine, webhook, passTo } = await start();
    const refused = await engine.addEvent({ type: 'order.paid' });
    await engine.addEvent({ type: 'order.paid' });
    await passTo(2 * HOUR);
    const report = await engine.search(undefined, (add) => async (events, deliveries, nowMs) => {
      if (deliveries.some(({ event_id }) => event_id === refused.id))
        throw new RefusedWrite('ValidationError', 'too large');
      return add(events, deliveries, nowMs);
    });
    const again = await engine.search();
    await passTo(2 * HOUR + MINUTE);

    expect(report).toMatchObject({ lostChanges: 1, refused: [{ eventId: refused.id, code: 'ValidationError' }] });
    expect(again).toMatchObject({ lostChanges: 0, refused: [] });
    expect(engine.postedTypes(webhook)).toEqual(['order.paid']);
  });

  it('submits a replay command that the stream lost again after an hour, once, and the fan-out carries it out once', async () => {
    const { engine, webhook, passTo } = await start();
    const event = await engine.addEvent({ type: 'order.paid' });
    await engine.fanOut([{ kind: 'event', event, isStored: true }]);
    await passTo(MINUTE);
    const [outcome] = engine.outcomes;
    const replay = {
      ...{ id: 'replay#1', owner: engine.owner, type: 'redeliver' as const, trigger: 'replay' as const },
      ...{ event_id: event.id, event_type: event.type, delivery_ids: [String(outcome?.ticket.deliveryId)] },
    };
    await engine.addCommand(replay);

    await passTo(2 * HOUR);
    const first = await engine.search();
    await engine.passCommand(replay.id);
    await engine.passCommand(replay.id);
    await passTo(3 * HOUR);
    const second = await engine.search();
    await passTo(3 * HOUR + MINUTE);

    expect([first.lostCommands, second.lostCommands]).toEqual([1, 0]);
    expect(engine.postedTypes(webhook)).toEqual(['order.paid', 'order.paid']);
    expect(await engine.readCommand(replay.id)).toMatchObject({ done_at: expect.any(Number) });
  });

  it('does not submit a command again that the fan-out carried out, nor one that is younger than an hour', async () => {
    const { engine, webhook, passTo } = await start();
    const release = { owner: engine.owner, type: 'release' as const, webhook_id: webhook.id };
    await engine.addCommand({ ...release, id: 'release#done' });
    await engine.passCommand('release#done');
    await passTo(HOUR + MINUTE);
    await engine.addCommand({ ...release, id: 'release#young' });

    await passTo(2 * HOUR);
    expect(await engine.search()).toMatchObject({ lostCommands: 0 });
    await passTo(3 * HOUR);
    expect(await engine.search()).toMatchObject({ lostCommands: 1 });
    expect(await engine.readCommand('release#done')).not.toHaveProperty('resubmitted_at');
  });
});
