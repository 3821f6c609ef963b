import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CountingReceiver, startCountingReceiver } from './counting-receiver.ts';
import { type Deployment, eventually, say } from './deployment.ts';

// What a deployment owes while another release is deployed over it: events that go on being published, retries that wait
// in the queue, retries parked in the due index, deliveries held for a disabled webhook.

const TYPE = 'task.delivered';

/** Retries that fall due while the other release is being deployed, or shortly after. */
const QUEUED_SECONDS = 40;
/** Longer than the queue can carry. */
const PARKED_SECONDS = 1200;

interface Delivery {
  readonly id: string;
  readonly status: string;
  readonly attempts_made: number;
  readonly next_attempt_at: string | null;
}

interface Owed {
  readonly name: 'steady' | 'queued' | 'parked' | 'held';
  readonly receiver: CountingReceiver;
  readonly webhookId: string;
}

/** One account's webhooks, each owing in another way, and the events that were accepted for them. */
export class Load {
  private readonly accepted = new Set<number>();
  private readonly key: string;
  private readonly webhooks: readonly Owed[];
  private before: readonly Delivery[] = [];
  private isPublishing = false;
  private refusedCalls = 0;

  private constructor(key: string, webhooks: readonly Owed[]) {
    this.key = key;
    this.webhooks = webhooks;
  }

  static async start({ call, operatorKey }: Deployment): Promise<Load> {
    const account = await call('POST', '/api/public/v1/accounts', operatorKey, {
      name: 'Upgrade',
      rate_limit_per_minute: 3000,
    });
    assert.equal(account.status, 201, JSON.stringify(account.body));
    const key = String(account.body.key);
    const webhook = async (name: Owed['name'], schedule: readonly number[], refuses: CountingReceiver['refuses']) => {
      const receiver = await startCountingReceiver(refuses);
      const made = await call('POST', '/api/public/v1/webhooks', key, {
        url: receiver.url,
        events: [TYPE],
        allow_http: true,
        schedule,
        enabled: name !== 'held',
        description: name,
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      return { name, receiver, webhookId: String(made.body.id) };
    };
    const first = (seenBefore: boolean) => !seenBefore;
    return new Load(key, [
      await webhook('steady', [1, 1, 1, 1], () => false),
      await webhook('queued', [QUEUED_SECONDS, 1, 1, 1], first),
      await webhook('parked', [PARKED_SECONDS], () => true),
      await webhook('held', [1, 1, 1, 1], () => false),
    ]);
  }

  /** Publishes `count` events and waits until the release that is there owes them all. */
  async fill(deployment: Deployment, count: number): Promise<void> {
    for (let n = 0; n < count; n++) await this.publish(deployment, n);
    await eventually('Retries wait', 60, () => {
      const { queued, parked } = this.receivers();
      return queued.refused.size === count && parked.refused.size === count ? true : undefined;
    });
    this.before = await eventually('Every delivery of them is recorded', 30, async () => {
      const lists = await Promise.all(['parked', 'held'].map((name) => this.deliveries(deployment, name)));
      const owed = lists.flat().filter(({ status }) => status === 'failed' || status === 'held');
      return owed.length === 2 * count ? owed : undefined;
    });
    say(`✓ ${count} events wait in the queue, ${count} in the due index, ${count} for a disabled webhook`);
  }

  /** Publishes for as long as `work` takes, and a little longer. */
  async during<T>(deployment: Deployment, work: Promise<T>): Promise<T> {
    this.isPublishing = true;
    const publishing = async (): Promise<void> => {
      for (let n = this.accepted.size; this.isPublishing; n++) await this.publish(deployment, n).then(() => sleep(150));
    };
    const working = work
      .then((done) => sleep(2_000, done))
      .finally(() => {
        this.isPublishing = false;
      });
    const [done] = await Promise.all([working, publishing()]);
    return done;
  }

  /** Counts what became of everything, on the release that is there now. */
  async settle(deployment: Deployment): Promise<void> {
    const after = new Map((await this.deliveries(deployment, 'parked')).map((delivery) => [delivery.id, delivery]));
    const parked = this.before.filter(({ status }) => status === 'failed');
    for (const delivery of parked)
      assert.deepEqual(after.get(delivery.id), delivery, 'a parked retry is kept as it was');

    // What was owed under the former release is carried out by this one.
    const receivers = this.receivers();
    receivers.parked.refuses = () => false;
    const asked = await deployment.call('POST', `/api/public/v1/webhooks/${this.idOf('parked')}/recover`, this.key, {
      since: new Date(Date.now() - 3_600_000).toISOString(),
      until: new Date().toISOString(),
      status: ['failed'],
    });
    assert.equal(asked.status, 202, JSON.stringify(asked.body));
    const enabled = await deployment.call('PATCH', `/api/public/v1/webhooks/${this.idOf('held')}`, this.key, {
      enabled: true,
    });
    assert.equal(enabled.status, 200, JSON.stringify(enabled.body));

    for (const { name, receiver } of this.webhooks) {
      await eventually(`All ${this.accepted.size} events arrive at the webhook ${name}`, 90, () =>
        receiver.taken.size >= this.accepted.size ? true : undefined,
      ).catch((error: Error) => {
        throw new Error(`${error.message} (${receiver.taken.size} did)`);
      });
    }
    await sleep(3_000);
    for (const { name, receiver } of this.webhooks) {
      assert.deepEqual(new Set(receiver.taken.keys()), this.accepted, `${name}: those, and no others`);
      const posts = [...receiver.taken.values()].reduce((sum, count) => sum + count, 0);
      const again = posts - this.accepted.size;
      say(`✓ ${name}: ${this.accepted.size} of ${this.accepted.size} arrived, ${again} of them once more`);
      // At least once: what was under way when its function was replaced may come again, and nothing else.
      assert.ok(again <= 10, `${again} were sent again`);
    }
    if (this.refusedCalls > 0) say(`  (${this.refusedCalls} calls had to be made again while functions were replaced)`);
  }

  async stop(): Promise<void> {
    this.isPublishing = false;
    await Promise.all(this.webhooks.map(({ receiver }) => receiver.stop()));
  }

  private async publish({ call }: Deployment, n: number): Promise<void> {
    // A call that finds its function being replaced is made again with the same id, as publishers are told to.
    for (let tries = 1; ; tries++) {
      const answer = await call('POST', '/api/public/v1/events', this.key, {
        id: `n-${n}`,
        type: TYPE,
        data: { n },
      }).catch((error: Error) => ({ status: 0, body: { error: error.message } }));
      if (answer.status === 202) break;
      if (answer.status < 500 && answer.status !== 0) assert.fail(`event ${n}: ${JSON.stringify(answer)}`);
      assert.ok(tries < 20, `event ${n} is not accepted: ${JSON.stringify(answer)}`);
      this.refusedCalls++;
      await sleep(500);
    }
    this.accepted.add(n);
  }

  private async deliveries({ call }: Deployment, name: string): Promise<readonly Delivery[]> {
    const found: Delivery[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path = `/api/public/v1/webhooks/${this.idOf(name)}/deliveries?limit=100${cursor && `&cursor=${cursor}`}`;
      const { status, body } = await call('GET', path, this.key);
      assert.equal(status, 200, JSON.stringify(body));
      found.push(...(body.data as readonly Delivery[]));
      cursor = body.next_cursor as string | null;
    }
    return found;
  }

  private idOf(name: string): string {
    return this.webhooks.find((webhook) => webhook.name === name)?.webhookId ?? '';
  }

  private receivers(): Record<Owed['name'], CountingReceiver> {
    return Object.fromEntries(this.webhooks.map(({ name, receiver }) => [name, receiver])) as Record<
      Owed['name'],
      CountingReceiver
    >;
  }
}
