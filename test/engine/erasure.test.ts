import { describe, expect, it } from 'vitest';
import { rowsHolding } from '../helpers/api-caller.ts';
import { aTask, planted, rowsWithPlanted, useErasure } from '../helpers/erasure.ts';
import { useTables } from '../helpers/tables.ts';
import { type Answering, aWebhook } from '../helpers/virtual-engine.ts';

const MINUTE = 60_000;
const taskTypes = ['task.created', 'task.accepted', 'task.cancelled'];
const long = `${planted.response} ${'x'.repeat(400)}`;
const echo: Answering = ({ url }, number) => {
  if (url.includes('accepting')) return { status: 200, body: planted.response };
  return { status: 500, body: number % 2 === 0 ? long : planted.response };
};

describe('erasure of the personal data of a task, on real tables', () => {
  const tables = useTables();
  const start = useErasure(tables);

  /** A cancelled task with events at a refusing, an accepting and a disabled webhook, each with 3 deliveries. */
  const startCancelled = async (answer: Answering = echo) => {
    const stack = await start(answer);
    const { engine, callOk, carry } = stack;
    const refusing = aWebhook({
      url: 'https://refusing.example/hook',
      events: taskTypes,
      auto_disable_after_hours: 720,
    });
    const accepting = aWebhook({ url: 'https://accepting.example/hook', events: taskTypes });
    const disabled = aWebhook({ url: 'https://disabled.example/hook', events: taskTypes, enabled: false });
    await engine.addWebhooks(refusing, accepting, disabled);
    const { id } = await callOk('POST', '/tasks', aTask, { 'idempotency-key': 'create' });
    await carry();
    await callOk(
      'POST',
      `/tasks/${id}/accept`,
      { carrier: { name: planted.carrier } },
      { 'idempotency-key': 'accept' },
    );
    await carry();
    await callOk('POST', `/tasks/${id}/cancel`, { reason: planted.reason }, { 'idempotency-key': 'cancel' });
    return { ...stack, id, refusing };
  };

  it('DELETE /tasks/{id}/personal-data leaves no planted string in any row of the three tables, although they were in rows of 4 kinds; repeating it answers 204', async () => {
    const { engine, call, callOk, carry, statuses, id } = await startCancelled();
    await carry();
    await engine.passUntil(engine.now() + 10 * MINUTE);
    const [event] = (await callOk('GET', '/events')).data;
    const { deliveries } = await callOk('GET', `/events/${event.id}`);
    const refused = deliveries.find(({ status }: { status: string }) => status === 'failed');
    const retry = () => callOk('POST', `/deliveries/${refused.id}/retry`, undefined, { 'idempotency-key': 'retry' });
    const retried = await retry();
    await carry();
    await engine.passUntil(engine.now() + MINUTE);
    const before = await rowsWithPlanted(tables);
    const repeated = await retry();
    // A webhook that is added after the task's events gets none of them, because the erasure is no event.
    await engine.addWebhooks(aWebhook({ events: taskTypes }));

    const first = await call('DELETE', `/tasks/${id}/personal-data`);
    await carry();

    expect(new Set(before.map(({ kind }) => kind))).toEqual(new Set(['task', 'event', 'delivery', 'attempt']));
    expect(new Set(before.flatMap(({ texts }) => texts))).toEqual(
      new Set(Object.values(planted).filter((text) => text !== planted.input && text !== planted.result)),
    );
    expect(first.status).toBe(204);
    expect(repeated).toEqual(retried);
    expect(retried.response_body).toContain(planted.response);
    expect(await rowsWithPlanted(tables)).toEqual([]);
    expect(await retry()).toEqual({ ...retried, response_body: null });
    expect(await statuses()).toEqual([...Array(6).fill('cancelled'), ...Array(3).fill('delivered')]);
    expect((await call('DELETE', `/tasks/${id}/personal-data`)).status).toBe(204);
    const posts = engine.posts.length;
    await engine.passUntil(engine.now() + 24 * 60 * MINUTE);
    expect(engine.posts).toHaveLength(posts);
  });

  it('GET of the erased task shows item erased and null for recipient, addresses, carrier and cancel_reason; its other fields stay', async () => {
    const { callOk, id } = await startCancelled();
    const before = await callOk('GET', `/tasks/${id}`);

    await callOk('DELETE', `/tasks/${id}/personal-data`);

    const after = await callOk('GET', `/tasks/${id}`);
    expect(after).toEqual({
      ...before,
      item: 'erased',
      pickup: { city: 'Oslo', address: null },
      dropoff: { city: 'Bergen', address: null },
      recipient: null,
      carrier: null,
      cancel_reason: null,
      personal_data_erased_at: expect.stringMatching(/Z$/),
    });
  });

  it('POST /tasks and a move, repeated under their Idempotency-Key after the erasure, answer 201 and 200 without personal data, and bring none back', async () => {
    const { call, callOk, carry, id } = await startCancelled();
    await callOk('DELETE', `/tasks/${id}/personal-data`);

    const created = await call('POST', '/tasks', aTask, { 'idempotency-key': 'create' });
    const cancel = { reason: planted.reason };
    const cancelled = await call('POST', `/tasks/${id}/cancel`, cancel, { 'idempotency-key': 'cancel' });
    await carry();

    expect(created).toMatchObject({ status: 201, json: { id, status: 'created', item: 'erased', recipient: null } });
    expect(cancelled).toMatchObject({ status: 200, json: { id, status: 'cancelled', cancel_reason: null } });
    expect(created.headers['idempotency-replayed']).toBe('true');
    const [row] = await rowsHolding(tables, tables.domainTable, id);
    const marks = { accepted: { key: expect.any(String) }, cancelled: { key: expect.any(String) } };
    expect([row?.content_hash, row?.moved_by_key]).toEqual([undefined, marks]);
    expect(await rowsWithPlanted(tables)).toEqual([]);
  });

  it('when the fan-out gets the changes of the task only after the erasure, it writes no personal data, nothing is sent, and the deliveries are cancelled', async () => {
    const { engine, callOk, changed, carry, carryRows, statuses, id, refusing } = await startCancelled();
    const late = await changed();
    expect(late.find(({ kind }) => kind === 'task')).toMatchObject({ status: 'cancelled', item: planted.item });
    await callOk('DELETE', `/tasks/${id}/personal-data`);
    await carry();
    const posts = engine.posts.length;

    await carryRows(late);
    await engine.passUntil(engine.now() + MINUTE);

    expect(await rowsWithPlanted(tables)).toEqual([]);
    expect(engine.posts.slice(posts).map(({ body }) => body)).toEqual([]);
    expect((await statuses()).filter((status) => status === 'cancelled').length).toBeGreaterThanOrEqual(3);
    expect(refusing.enabled).toBe(true);
  });

  it('answers 404 for an unknown task, and 409 not_settled for a task that is created, and changes nothing', async () => {
    const { call, callOk } = await start(echo);
    const { id } = await callOk('POST', '/tasks', aTask);

    const { status, json } = await call('DELETE', `/tasks/${id}/personal-data`);
    const unknown = await call('DELETE', `/tasks/tsk_${'0'.repeat(26)}/personal-data`);

    expect([status, json.errors[0].code, unknown.status]).toEqual([409, 'not_settled', 404]);
    expect((await callOk('GET', `/tasks/${id}`)).recipient.name).toBe(planted.recipient);
    await callOk('POST', `/tasks/${id}/cancel`);
    await callOk('DELETE', `/tasks/${id}/personal-data`);
  });
});
