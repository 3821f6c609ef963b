import { describe, expect, it, vi } from 'vitest';
import { throttled } from '../../local/wiring/interceptor.ts';
import { useWholeStack } from '../helpers/whole-stack.ts';

interface Line {
  readonly name?: string;
  readonly [field: string]: unknown;
}

/** The parsed JSON log lines of a function. */
const linesOf = (logs: readonly string[], functionName: string): Line[] =>
  logs
    .filter((log) => log.startsWith(`${functionName} {`))
    .map((log) => JSON.parse(log.slice(functionName.length + 1)) as Line);

const TRACE = '1-67891233-abcdef012345678912345678';
const SOON = { timeout: 8000 };

describe('the log of a whole stack', () => {
  const whole = useWholeStack({
    speed: 60,
    environment: { _X_AMZN_TRACE_ID: `Root=${TRACE};Parent=53995c3f42cd8ad8;Sampled=1` },
  });

  it('has the request id of POST /events in the lines of all four attempts, and that of POST /deliveries/{id}/retry as requested_by of the fourth', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(({ number }) => (number < 3 ? 500 : 200), { schedule: [30, 60] });

    const published = await fetch(`${whole.stack.url}/api/public/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${client.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'task.accepted', data: { note: 'never-shown' } }),
    });
    const { id: eventId } = (await published.json()) as { id: string };
    const requestId = published.headers.get('x-request-id');
    const [delivery] = await client.settled(webhook, 1);
    const retried = await client.call('POST', `/deliveries/${delivery?.id}/retry`);
    await vi.waitFor(() => expect(webhook.posts).toHaveLength(4), SOON);
    await client.settled(webhook, 1);

    const [call] = linesOf(whole.logs, 'events-api').filter(({ request_id }) => request_id === requestId);
    expect(call).toMatchObject({ name: 'request.answered', trace_id: TRACE, ids: [eventId], status: 202 });
    // The API shows an attempt immediately after it is recorded; the log line is written slightly later.
    const attempts = await vi.waitFor(() => {
      const lines = linesOf(whole.logs, 'deliver').filter(({ request_id }) => request_id === requestId);
      expect(lines).toHaveLength(4);
      return lines;
    }, SOON);
    const ids = { event_id: eventId, delivery_id: delivery?.id, webhook_id: webhook.id, trace_id: TRACE };
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    for (const attempt of attempts) expect(attempt).toMatchObject(ids);
    const [retry] = linesOf(whole.logs, 'deliveries-api').filter(({ operation }) => operation === 'retryDelivery');
    expect(retried.status).toBe(202);
    expect(attempts.map(({ requested_by }) => requested_by)).toEqual([
      undefined,
      undefined,
      undefined,
      retry?.request_id,
    ]);
    expect(whole.logs.join('\n')).not.toContain('never-shown');
  });

  it('has the request id of POST /tasks/{id}/accept in the lines of the held and the released attempt, and that of the enabling PATCH as requested_by', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 200);
    await client.call('PATCH', `/webhooks/${webhook.id}`, { enabled: false });
    const place = { city: 'Oslo', address: 'Kristian IVs gate 7' };
    const task = await client.call('POST', '/tasks', { item: 'Passport', pickup: place, dropoff: place });
    await client.call('POST', `/tasks/${task.body.id}/accept`);
    await vi.waitFor(async () => expect((await client.deliveries(webhook))[0]?.status).toBe('held'), SOON);

    await client.call('PATCH', `/webhooks/${webhook.id}`, { enabled: true });
    await client.settled(webhook, 1);

    const called = (operation: string) =>
      [...linesOf(whole.logs, 'tasks-api'), ...linesOf(whole.logs, 'webhooks-api')].findLast(
        (line) => line.operation === operation,
      );
    const [held, delivered] = linesOf(whole.logs, 'deliver').filter(({ webhook_id }) => webhook_id === webhook.id);
    const accepted = { request_id: called('acceptTask')?.request_id, trace_id: TRACE };
    expect(called('acceptTask')?.ids).toEqual([task.body.id]);
    expect(held).toMatchObject({ outcome: 'held', ...accepted });
    expect(delivered).toMatchObject({
      outcome: 'delivered',
      ...accepted,
      requested_by: called('changeWebhook')?.request_id,
    });
  });

  it('counts two throttled calls of deliver as Throttles 2, although the SDK’s retry was successful', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 200);
    whole.faults.inject({ functionName: 'deliver', operation: 'BatchGetItem', times: 2 }, throttled);

    await client.publish(1);
    await client.settled(webhook, 1);

    const [counted] = linesOf(whole.logs, 'deliver').filter((line) => 'Throttles' in line);
    expect(counted).toMatchObject({ service: 'passpost-test', Throttles: 2 });
  });
});

describe('metrics that cannot be written', () => {
  // Powertools throws on this value when its metrics object is created.
  const whole = useWholeStack({ environment: { POWERTOOLS_METRICS_DISABLED: 'perhaps' } });

  it('are logged as metrics.lost, and do not stop three held deliveries from being delivered after PATCH /webhooks/{id} enables their webhook', async () => {
    const client = await whole.newClient();
    const webhook = await client.addWebhook(() => 200);
    await client.call('PATCH', `/webhooks/${webhook.id}`, { enabled: false });
    await client.publish(3);
    await vi.waitFor(async () => {
      const held = (await client.deliveries(webhook)).filter(({ status }) => status === 'held');
      expect(held).toHaveLength(3);
    }, SOON);

    await client.call('PATCH', `/webhooks/${webhook.id}`, { enabled: true });
    const deliveries = await client.settled(webhook, 3);

    expect(deliveries.map(({ status }) => status)).toEqual(['delivered', 'delivered', 'delivered']);
    expect(linesOf(whole.logs, 'deliver').map(({ name }) => name)).toContain('metrics.lost');
    expect(whole.logs.join('\n')).not.toContain('_aws');
  });
});
