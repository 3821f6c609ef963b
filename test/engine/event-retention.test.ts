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

describe('the event of an unfinished delivery outlives its retention', () => {
  const tables = useTables();
  afterEach(() => forgetAccounts(tables));

  const start = (...options: [Answering?, StoredWebhook?, number?]) => startForMonths(tables, ...options);

  // A delivery that was held for longer than retention and fourteen days was cancelled, because its event had expired.
  it('a held delivery is delivered when its webhook is enabled after 89 days', async () => {
    const { engine, publishOne, passDays, enable } = await start();
    const { id } = await publishOne();

    await passDays(89);
    expect((await engine.delivery(id)).status).toBe('held');
    await enable();

    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 1 });
  });

  it('a delivery that is released after 60 days still has its full schedule', async () => {
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

  // `Retry-After` extends each wait by up to a day. An account with one day of retention lost the last attempts.
  it('a delivery makes all attempts of its schedule although Retry-After extends it beyond the retention', async () => {
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
    'a %s on the last day of an event extends the event by 30 days',
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

  it('a hold of 90 days without a break expires, and extendEventRetention reports it', async () => {
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

  it('a replay restarts the 90 days of a hold', async () => {
    const { engine, publishOne, passDays } = await start();
    const { id } = await publishOne();
    await passDays(60);
    const { owner, event_id, event_type } = await engine.delivery(id);
    const again = { id: 'again', owner, type: 'redeliver' as const, trigger: 'replay' as const };

    await engine.fanOut([{ kind: 'command', command: { ...again, event_id, event_type, delivery_ids: [id] } }]);
    await passDays(140);

    expect((await engine.delivery(id)).status).toBe('held');
  });

  it('a delivery whose webhook was enabled without a command is released instead of cancelled', async () => {
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

  it('an erased payload stays erased, and its event is not extended', async () => {
    const { engine, publishOne, passDays, eventRow, endsOnDay, enable } = await start();
    const { id, eventId } = await publishOne();
    await passDays(20);
    const by = { accountId: 'acc_1', keyId: 'key_1', ip: '127.0.0.1' };
    const entry = auditEntry(by, 'event.payload_deleted', eventId, engine.now());
    await createEventsTable(tables.client, tables.domainTable, 30).deletePayload(
      engine.owner,
      eventId,
      entry,
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
  it('an expired event is not extended', async () => {
    const { engine, publishOne, endsOnDay } = await start();
    const { eventId } = await publishOne();

    await engine.passUntil(engine.startMs + 44.1 * DAY_MS);
    await engine.extendRetention();

    expect(await endsOnDay(eventId)).toBe(44);
  });
});
