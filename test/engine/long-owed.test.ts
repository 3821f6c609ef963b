import { afterEach, describe, expect, it } from 'vitest';
import { createEventsTable } from '../../lambdas/adapters/events/events-table.ts';
import { auditEntry } from '../../lambdas/domain/foundation/audit.ts';
import type { StoredWebhook } from '../../lambdas/domain/webhooks/webhook.ts';
import { aPatientWebhook, DAY_MS, startForMonths } from '../helpers/long-owed.ts';
import { forgetAccounts } from '../helpers/roll-up.ts';
import { useTables } from '../helpers/tables.ts';
import type { Answering } from '../helpers/virtual-engine.ts';

const accepted = { status: 200 };
const refused = { status: 500 };
const off = () => aPatientWebhook(false);
const on = () => aPatientWebhook(true);

describe('what is owed for longer than its event was to live', () => {
  const tables = useTables();
  afterEach(() => forgetAccounts(tables));

  const start = (...of: [Answering?, StoredWebhook?, number?]) => startForMonths(tables, ...of);

  // What was held for longer than retention and fourteen days was cancelled: its event was gone.
  it('reaches a webhook that is enabled months later', async () => {
    const { engine, publishOne, passDays, enable } = await start();
    const { id } = await publishOne();

    await passDays(89);
    expect((await engine.delivery(id)).status).toBe('held');
    await enable();

    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 1 });
  });

  it('has all its schedule ahead once it goes on', async () => {
    const { engine, publishOne, passDays, enable } = await start(
      (_, number) => (number < 3 ? refused : accepted),
      off(),
    );
    const { id } = await publishOne();
    await passDays(60);

    await enable();
    await passDays(75);

    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 3 });
  });

  // `Retry-After` puts each wait off by up to a day; an account that keeps events for a day only lost the last attempts.
  it('is sent as often as its schedule says, though the receiver puts that off beyond its event', async () => {
    const putOff = { status: 503, retryAfter: '9999999' };
    const { engine, publishOne, passDays } = await start((_, number) => (number < 3 ? putOff : accepted), on(), 1);
    const { id } = await publishOne();

    await passDays(16.5);

    expect(await engine.delivery(id)).toMatchObject({ status: 'delivered', attempts_made: 3 });
  });

  it.each(['manual', 'replay', 'recover'] as const)(
    'has its event for a whole schedule after a %s on its last day',
    async (trigger) => {
      const { engine, webhook, publishOne, passDays, endsOnDay, day } = await start(() => refused, on());
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

  it('ends after ninety days without a break, and is told of', async () => {
    const { engine, webhook, publishOne, passDays, eventRow, enable } = await start();
    const first = await publishOne();
    await passDays(30);
    const later = await publishOne();
    await passDays(89);
    expect((await engine.delivery(first.id)).status).toBe('held');

    await passDays(98, false);
    const { expiredHolds } = await engine.keep();

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

  it('begins its ninety days anew when it is asked for again', async () => {
    const { engine, publishOne, passDays } = await start();
    const { id } = await publishOne();
    await passDays(60);
    const { owner, event_id, event_type } = await engine.delivery(id);
    const again = { id: 'again', owner, type: 'redeliver' as const, trigger: 'replay' as const };

    await engine.fanOut([{ kind: 'command', command: { ...again, event_id, event_type, delivery_ids: [id] } }]);
    await passDays(140);

    expect((await engine.delivery(id)).status).toBe('held');
  });

  it('goes on, rather than end, where its webhook was enabled and nobody told it', async () => {
    const { engine, webhook, publishOne, passDays } = await start();
    const { id } = await publishOne();
    await passDays(80);
    await engine.putWebhook({ ...webhook, enabled: true });

    await passDays(97, false);
    const { released, expiredHolds } = await engine.keep();
    await engine.passUntil(engine.now() + 1000);

    expect([released, expiredHolds]).toEqual([1, []]);
    expect((await engine.delivery(id)).status).toBe('delivered');
  });

  it('stays erased where it was erased', async () => {
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

  // DynamoDB deletes what has expired within days, not at once.
  it('does not bring back an event that has expired', async () => {
    const { engine, publishOne, endsOnDay } = await start();
    const { eventId } = await publishOne();

    await engine.passUntil(engine.startMs + 44.1 * DAY_MS);
    await engine.keep();

    expect(await endsOnDay(eventId)).toBe(44);
  });
});
