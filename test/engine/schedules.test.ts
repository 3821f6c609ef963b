import { describe, expect, it } from 'vitest';
import { deliveryId } from '../../lambdas/domain/foundation/id.ts';
import { profiles } from '../../lambdas/profiles/index.ts';
import { useTables } from '../helpers/tables.ts';
import { anEvent, aWebhook, createVirtualEngine } from '../helpers/virtual-engine.ts';

describe('the schedule of a delivery that is refused, in virtual time', () => {
  const tables = useTables();

  const refused = { status: 503, durationMs: 40 };
  const attemptAll = async (webhook: ReturnType<typeof aWebhook>, days = 16) => {
    const engine = createVirtualEngine(tables, () => refused, { startMs: Date.UTC(2026, 10, 1, 10, 0, 17, 250) });
    const event = anEvent({}, engine.now());
    await engine.addWebhooks(webhook);
    await engine.publish(event);
    await engine.passUntil(engine.now() + days * 86_400_000);
    return { engine, id: deliveryId(Date.parse(event.created_at), event.id, webhook.id) };
  };

  it.each(Object.values(profiles))(
    'profile $name: each retry is sent at the end of its wait or less than 2 s later, and the delivery is dead at the end',
    async (profile) => {
      const { engine, id } = await attemptAll(aWebhook({ profile: profile.name }));

      const gaps = engine.posts.slice(1).map(({ atMs }, i) => (atMs - (engine.posts[i]?.atMs ?? 0) - 40) / 1000);
      expect(gaps).toHaveLength(profile.schedule.length);
      for (const [i, wait] of profile.schedule.entries()) {
        expect(gaps[i]).toBeGreaterThanOrEqual(wait);
        expect(gaps[i]).toBeLessThan(wait + 2);
      }
      expect((await engine.delivery(id)).status).toBe('dead');
    },
  );

  it('PP-9 PP reading 1: a passpost delivery makes six requests, at minutes 0, 1, 6, 21, 81 and 441', async () => {
    const { engine } = await attemptAll(aWebhook());

    const minutes = engine.posts.map(({ atMs }) => Math.round((atMs - (engine.posts[0]?.atMs ?? 0)) / 60_000));
    expect(minutes).toEqual([0, 1, 6, 21, 81, 441]);
  });

  it('PM-7 PM reading 4: a postmen delivery makes 14 requests although all messages in the queue are deleted every 7 h; the last is sent less than 2 s after the last wait, 68 h', async () => {
    const engine = createVirtualEngine(tables, () => refused);
    const webhook = aWebhook({ profile: 'postmen' });
    const event = anEvent({}, engine.now());
    await engine.addWebhooks(webhook);
    await engine.publish(event);
    const startMs = engine.now();

    for (let hours = 7; hours <= 140; hours += 7) {
      await engine.passUntil(startMs + hours * 3_600_000);
      engine.purge();
    }

    const lastGap = (engine.posts[13]?.atMs ?? 0) - (engine.posts[12]?.atMs ?? 0) - 40;
    expect(engine.posts).toHaveLength(14);
    expect(lastGap).toBeGreaterThanOrEqual(245_760_000);
    expect(lastGap).toBeLessThan(245_762_000);
  });

  it('a webhook’s own schedule of 3 waits makes 4 POSTs, the second after 7 s or more; an empty schedule makes 1 POST', async () => {
    const own = await attemptAll(aWebhook({ schedule: [7, 901, 604_800] }));
    const none = await attemptAll(aWebhook({ schedule: [] }));

    const offsets = own.engine.posts.map(({ atMs }) => Math.floor((atMs - (own.engine.posts[0]?.atMs ?? 0)) / 1000));
    expect(offsets[1]).toBeGreaterThanOrEqual(7);
    expect(own.engine.posts).toHaveLength(4);
    expect(none.engine.posts).toHaveLength(1);
    expect((await none.engine.delivery(none.id)).status).toBe('dead');
  });

  it('a retry is sent at the end of its wait of 1 h or less than 2 s later; 50 minutes after the start, at most 1 message exists', async () => {
    const engine = createVirtualEngine(tables, (_, number) => (number === 1 ? refused : { status: 200 }));
    const webhook = aWebhook({ schedule: [3600] });
    await engine.addWebhooks(webhook);
    await engine.publish(anEvent({}, engine.now()));
    const startMs = engine.now();

    await engine.passUntil(startMs + 3_000_000);

    expect(engine.messages.size).toBeLessThanOrEqual(1);
    await engine.passUntil(startMs + 3_700_000);
    const gap = (engine.posts[1]?.atMs ?? 0) - (engine.posts[0]?.atMs ?? 0) - 40;
    expect(gap).toBeGreaterThanOrEqual(3_600_000);
    expect(gap).toBeLessThan(3_602_000);
  });

  it('waits of 60 s with Retry-After 120, 1 and 999999 on 503 become 120 s, less than 62 s, and 60 s plus one day', async () => {
    const retryAfter = ['120', '1', '999999'];
    const engine = createVirtualEngine(tables, (_, number) => ({
      status: 503,
      retryAfter: retryAfter[number - 1] ?? null,
    }));
    const webhook = aWebhook({ schedule: [60, 60, 60] });
    await engine.addWebhooks(webhook);
    await engine.publish(anEvent({}, engine.now()));

    await engine.passUntil(engine.now() + 2 * 86_400_000);

    const gaps = engine.posts.slice(1).map(({ atMs }, i) => Math.floor((atMs - (engine.posts[i]?.atMs ?? 0)) / 1000));
    expect(gaps[0]).toBeGreaterThanOrEqual(120);
    expect(gaps[0]).toBeLessThan(122);
    expect(gaps[1]).toBeLessThan(62);
    expect(gaps[2]).toBeGreaterThanOrEqual(86_460);
    expect(gaps[2]).toBeLessThan(86_463);
  });
});
