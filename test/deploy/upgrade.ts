import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CountingReceiver, startCountingReceiver } from './counting-receiver.ts';
import { type Deployment, eventually, say } from './deployment.ts';

// The work that a deployment has while another release is deployed over it: newly published events, retries that wait in the
// queue, retries that are parked in the due index, and deliveries that are held for a disabled webhook.

const TYPE = 'task.delivered';

/** Retries after this time become due during the deployment or shortly after it. */
const QUEUED_SECONDS = 40;
/** Longer than the maximum delay of SQS, so the retry is parked. */
const PARKED_SECONDS = 1200;

interface Delivery {
  readonly id: string;
  readonly status: string;
  readonly attempts_made: number;
  readonly next_attempt_at: string | null;
}

interface LoadedWebhook {
  readonly name: 'steady' | 'queued' | 'parked' | 'held';
  readonly receiver: CountingReceiver;
  readonly webhookId: string;
}

/** Webhooks of one account whose deliveries wait in four different ways, and the events that the API accepted for them. */
export class Load {
  private readonly accepted = new Set<number>();
  private readonly key: string;
  private readonly webhooks: readonly LoadedWebhook[];
  private before: readonly Delivery[] = [];
  private isPublishing = false;
  private repeatedCalls = 0;

  private constructor(key: string, webhooks: readonly LoadedWebhook[]) {
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
    const webhook = async (
      name: LoadedWebhook['name'],
      schedule: readonly number[],
      refuses: CountingReceiver['refuses'],
    ) => {
      const receiver = await startCountingReceiver(refuses);
      const created = await call('POST', '/api/public/v1/webhooks', key, {
        url: receiver.url,
        events: [TYPE],
        allow_http: true,
        schedule,
        enabled: name !== 'held',
        description: name,
      });
      assert.equal(created.status, 201, JSON.stringify(created.body));
      return { name, receiver, webhookId: String(created.body.id) };
    };
    const refusesFirst = (seenBefore: boolean) => !seenBefore;
    return new Load(key, [
      await webhook('steady', [1, 1, 1, 1], () => false),
      await webhook('queued', [QUEUED_SECONDS, 1, 1, 1], refusesFirst),
      await webhook('parked', [PARKED_SECONDS], () => true),
      await webhook('held', [1, 1, 1, 1], () => false),
    ]);
  }

  /** Publishes `count` events and waits until all their deliveries wait for a retry or are held. */
  async fill(deployment: Deployment, count: number): Promise<void> {
    for (let n = 0; n < count; n++) await this.publish(deployment, n);
    await eventually('the first attempts are refused', 60, () => {
      const { queued, parked } = this.receivers();
      return queued.refused.size === count && parked.refused.size === count ? true : undefined;
    });
    this.before = await eventually('every delivery is recorded as failed or held', 30, async () => {
      const lists = await Promise.all(['parked', 'held'].map((name) => this.deliveries(deployment, name)));
      const unfinished = lists.flat().filter(({ status }) => status === 'failed' || status === 'held');
      return unfinished.length === 2 * count ? unfinished : undefined;
    });
    say(`✓ ${count} events wait in the queue, ${count} in the due index, ${count} for a disabled webhook`);
  }

  /** Publishes events until two seconds after `work` has finished. Returns the result of `work`. */
  async during<T>(deployment: Deployment, work: Promise<T>): Promise<T> {
    this.isPublishing = true;
    const publishing = async (): Promise<void> => {
      for (let n = this.accepted.size; this.isPublishing; n++) await this.publish(deployment, n).then(() => sleep(150));
    };
    const working = work
      .then((result) => sleep(2_000, result))
      .finally(() => {
        this.isPublishing = false;
      });
    const [result] = await Promise.all([working, publishing()]);
    return result;
  }

  /** Redelivers and releases everything on the new deployment, and checks that every accepted event arrives. */
  async settle(deployment: Deployment): Promise<void> {
    const after = new Map((await this.deliveries(deployment, 'parked')).map((delivery) => [delivery.id, delivery]));
    const parked = this.before.filter(({ status }) => status === 'failed');
    for (const delivery of parked) {
      // The later of the two releases may show more fields of a delivery.
      const now = after.get(delivery.id);
      assert.ok(now, 'a parked retry must be listed');
      const inBoth = (shown: object) =>
        Object.fromEntries(Object.entries(shown).filter(([name]) => name in now && name in delivery));
      assert.deepEqual(inBoth(now), inBoth(delivery), 'a parked retry must not change');
    }

    // The new deployment redelivers the parked deliveries and releases the held ones.
    const receivers = this.receivers();
    receivers.parked.refuses = () => false;
    const recovery = await deployment.call('POST', `/api/public/v1/webhooks/${this.idOf('parked')}/recover`, this.key, {
      since: new Date(Date.now() - 3_600_000).toISOString(),
      until: new Date().toISOString(),
      status: ['failed'],
    });
    assert.equal(recovery.status, 202, JSON.stringify(recovery.body));
    const enabled = await deployment.call('PATCH', `/api/public/v1/webhooks/${this.idOf('held')}`, this.key, {
      enabled: true,
    });
    assert.equal(enabled.status, 200, JSON.stringify(enabled.body));

    for (const { name, receiver } of this.webhooks) {
      await eventually(`all ${this.accepted.size} events arrive at the webhook ${name}`, 90, () =>
        receiver.accepted.size >= this.accepted.size ? true : undefined,
      ).catch((error: Error) => {
        throw new Error(`${error.message} (${receiver.accepted.size} arrived)`);
      });
    }
    await sleep(3_000);
    for (const { name, receiver } of this.webhooks) {
      assert.deepEqual(
        new Set(receiver.accepted.keys()),
        this.accepted,
        `${name}: exactly the accepted events must arrive`,
      );
      const posts = [...receiver.accepted.values()].reduce((sum, count) => sum + count, 0);
      const duplicates = posts - this.accepted.size;
      say(
        `✓ ${name}: ${this.accepted.size} of ${this.accepted.size} events arrived, with ${duplicates} duplicate POSTs`,
      );
      // Delivery is at least once: attempts that run while their function is replaced may be repeated.
      assert.ok(duplicates <= 10, `too many duplicate POSTs: ${duplicates}`);
    }
    if (this.repeatedCalls > 0) say(`  (${this.repeatedCalls} calls were repeated while functions were replaced)`);
  }

  async stop(): Promise<void> {
    this.isPublishing = false;
    await Promise.all(this.webhooks.map(({ receiver }) => receiver.stop()));
  }

  private async publish({ call }: Deployment, n: number): Promise<void> {
    // A call that fails while its function is replaced is repeated with the same event id, as docs/publishing.md recommends.
    for (let tries = 1; ; tries++) {
      const answer = await call('POST', '/api/public/v1/events', this.key, {
        id: `n-${n}`,
        type: TYPE,
        data: { n },
      }).catch((error: Error) => ({ status: 0, body: { error: error.message } }));
      if (answer.status === 202) break;
      if (answer.status < 500 && answer.status !== 0) assert.fail(`event ${n}: ${JSON.stringify(answer)}`);
      assert.ok(tries < 20, `event ${n} was not accepted: ${JSON.stringify(answer)}`);
      this.repeatedCalls++;
      await sleep(500);
    }
    this.accepted.add(n);
  }

  private async deliveries({ call }: Deployment, name: string): Promise<readonly Delivery[]> {
    const deliveries: Delivery[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path = `/api/public/v1/webhooks/${this.idOf(name)}/deliveries?limit=100${cursor && `&cursor=${cursor}`}`;
      const { status, body } = await call('GET', path, this.key);
      assert.equal(status, 200, JSON.stringify(body));
      deliveries.push(...(body.data as readonly Delivery[]));
      cursor = body.next_cursor as string | null;
    }
    return deliveries;
  }

  private idOf(name: string): string {
    return this.webhooks.find((webhook) => webhook.name === name)?.webhookId ?? '';
  }

  private receivers(): Record<LoadedWebhook['name'], CountingReceiver> {
    return Object.fromEntries(this.webhooks.map(({ name, receiver }) => [name, receiver])) as Record<
      LoadedWebhook['name'],
      CountingReceiver
    >;
  }
}
