import { afterEach, describe, expect, it } from 'vitest';
import { createEventsTable } from '../../lambdas/adapters/events/events-table.ts';
import { auditEntry } from '../../lambdas/domain/foundation/audit.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { aPatientWebhook, DAY_MS, startForMonths } from '../helpers/event-retention.ts';
import { forgetAccounts } from '../helpers/roll-up.ts';
import { useTables } from '../helpers/tables.ts';
import type { Answering } from '../helpers/virtual-engine.ts';

const accepted = { status: 200 };
const refused = { status: 500 };
const aDisabledWebhook = () => aPatientWebhook(false);
const anEnabledWebhook = () => aPatientWebhook(true);

describe('retention of an event (30 + 14 days) with an unfinished delivery, in virtual time', () => {
  const tables = useTables();
  afterEach(() => forgetAccounts(tables));

  const start = (...options: [Answering?, StoredWebhook?, number?]) => startForMonths(tables, ...options);

  // Before a fix, a delivery that was held for longer than retention and 14 days was cancelled: its event had expired.
  it('a delivery that was held for 89 days is delivered by its first attempt when its webhook is enabled', async () => {
    const { engine, publishOne, passDays, enable } = await start();
    const { id } = await publishOne();

    await passDays(89);
    expect((await engine.delivery(id)).status).toBe('held');
    await enable();

    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 1 });
  });

  it('a delivery that is released after 60 days and refused twice is delivered by its third attempt (two waits of 7 days)', async () => {
    const { engine, publishOne, passDays, enable } = await start(
      (_, number) => (number < 3 ? refused : accepted),
      aDisabledWebhook(),
    );
    const { id } = await publishOne();
    await passDays(60);

    await enable();
    await passDays(75);

    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 3 });
  });

  // `Retry-After` extends each wait by up to a day. Before a fix, one day of retention lost the last attempts.
  it('a delivery of an event with 1 day of retention is delivered by its third attempt after two 503 with a long Retry-After', async () => {
    const retryLater = { status: 503, retryAfter: '9999999' };
    const { engine, publishOne, passDays } = await start(
      (_, number) => (number < 3 ? retryLater : accepted),
      anEnabledWebhook(),
      1,
    );
    const { id } = await publishOne();

    await passDays(16.5);

    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 3 });
  });

  it.each(['manual', 'replay', 'recover'] as const)(
    'redelivering a dead delivery (%s) on day 43.9 moves the expiry of its event from day 44 to day 73.9',
    async (trigger) => {
      const { engine, webhook, publishOne, passDays, endsOnDay, day } = await start(() => refused, anEnabledWebhook());
      const { id, eventId } = await publishOne();
      await passDays(43.9);
      const { owner, event_id, event_type, status } = await engine.delivery(id);
      const before = await endsOnDay(eventId);

      const base = { id: 'again', owner };
      await engine.fanOut([
        {
          kind: 'command',
          command:
            trigger === 'recover'
              ? {
                  ...base,
                  type: 'recover',
                  webhook_id: webhook.id,
                  job_id: 'job',
                  since: 0,
                  until: day(50),
                  status: ['dead'],
                  step: 1,
                  list: 0,
                  after: null,
                  done: 0,
                }
              : { ...base, type: 'redeliver', trigger, event_id, event_type, delivery_ids: [id] },
        },
      ]);

      expect([status, before]).toEqual(['dead', 44]);
      expect(await endsOnDay(eventId)).toBeCloseTo(43.9 + 30, 3);
    },
  );

  it('extendEventRetention on day 98 cancels and reports a delivery held since day 0, but not a delivery held since day 30', async () => {
    const { engine, webhook, publishOne, passDays, eventRow, enable } = await start();
    const first = await publishOne();
    await passDays(30);
    const later = await publishOne();
    await passDays(89);
    expect((await engine.delivery(first.id)).status).toBe('held');

    await passDays(98, false);
    const { expiredHolds } = await engine.extendRetention();

    expect(expiredHolds).toEqual([{ owner: engine.owner, webhookId: webhook.id, deliveries: 1 }]);
    const { status, settled_at } = await engine.delivery(first.id);
    expect([status, settled_at]).toEqual(['cancelled', engine.now()]);
    expect((await engine.delivery(later.id)).status).toBe('held');
    await enable();
    expect((await engine.delivery(later.id)).status).toBe('delivered');
    expect(await engine.delivery(first.id)).toMatchObject({ status: 'cancelled', attempts_made: 0 });
    await passDays(98 + 31);
    expect(await eventRow(first.eventId)).toBeNull();
    await expect(engine.delivery(first.id)).rejects.toThrow();
  });

  it('a delivery that is held since day 0 and replayed on day 60 is still held on day 140', async () => {
    const { engine, publishOne, passDays } = await start();
    const { id } = await publishOne();
    await passDays(60);
    const { owner, event_id, event_type } = await engine.delivery(id);
    const again = { id: 'again', owner, type: 'redeliver' as const, trigger: 'replay' as const };

    await engine.fanOut([{ kind: 'command', command: { ...again, event_id, event_type, delivery_ids: [id] } }]);
    await passDays(140);

    expect((await engine.delivery(id)).status).toBe('held');
  });

  it('extendEventRetention on day 97 releases a held delivery whose webhook was enabled without a release command', async () => {
    const { engine, webhook, publishOne, passDays } = await start();
    const { id } = await publishOne();
    await passDays(80);
    await engine.putWebhook({ ...webhook, enabled: true });

    await passDays(97, false);
    const { released, expiredHolds } = await engine.extendRetention();
    await engine.passUntil(engine.now() + 1000);

    expect([released, expiredHolds]).toEqual([1, []]);
    expect((await engine.delivery(id)).status).toBe('delivered');
  });

  it('an event whose payload was deleted on day 20 still expires on day 44, and its held delivery is cancelled without an attempt', async () => {
    const { engine, publishOne, passDays, eventRow, endsOnDay, enable } = await start();
    const { id, eventId } = await publishOne();
    await passDays(20);
    const by = { accountId: 'acc_1', keyId: 'key_1', ip: '127.0.0.1' };
    const entry = auditEntry(by, 'event.payload_deleted', eventId, engine.now());
    await createEventsTable(tables.client, tables.domainTable, 30).deletePayload(
      engine.owner,
      eventId,
      entry,
      { request_id: 'req_1' },
      engine.now(),
    );

    await passDays(43);

    expect(await endsOnDay(eventId)).toBe(44);
    expect(await eventRow(eventId)).toMatchObject({ data: 'null' });
    await passDays(45);
    await enable();
    expect(await engine.delivery(id)).toMatchObject({ status: 'cancelled', attempts_made: 0 });
  });

  // DynamoDB deletes expired rows within days, not immediately.
  it('extendEventRetention on day 44.1 does not extend an event that expired on day 44 and whose row still exists', async () => {
    const { engine, publishOne, endsOnDay } = await start();
    const { eventId } = await publishOne();

    await engine.passUntil(engine.startMs + 44.1 * DAY_MS);
    await engine.extendRetention();

    expect(await endsOnDay(eventId)).toBe(44);
  });
});
