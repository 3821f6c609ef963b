import * as z from 'zod';
import type { StoredEvent } from '../events/event.ts';
import { receiversOf, type Subscriber } from '../fan-out/fan-out.ts';
import { auditEntry } from '../foundation/audit.ts';
import { contentHash } from '../foundation/content-hash.ts';
import { mayReceive, mayUse } from '../foundation/customer.ts';
import { invalid, notFound, PassPostError } from '../foundation/errors.ts';
import { deliveryId, isId } from '../foundation/id.ts';
import type { DeliveryHistory } from '../history/read-deliveries.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';
import { type SubmitRequest, type SubmitStore, submitOnce } from './submit-once.ts';

export const replaySchema = z.strictObject({
  webhook_id: z.string().optional().meta({ description: 'Sends to this webhook only, whatever types it wants.' }),
});

export const replayedSchema = z
  .object({ event_id: z.string(), delivery_ids: z.array(z.string()) })
  .meta({ id: 'ReplayedEvent' });
type Replayed = z.infer<typeof replayedSchema>;

export interface ReplayDependencies {
  readonly store: { get(owner: string, id: string, nowMs: number): Promise<StoredEvent | null> };
  readonly webhooks: { find(owner: string, id: string): Promise<StoredWebhook | null> };
  readonly subscribers: (events: readonly StoredEvent[]) => Promise<readonly (readonly Subscriber[])[]>;
  readonly history: Pick<DeliveryHistory, 'find'>;
  readonly commands: SubmitStore;
}

/**
 * Returns the ids of the webhooks that want the event now, or only the named webhook. Throws `not_found` or `invalid`.
 */
const currentReceivers = async (
  event: StoredEvent,
  { webhookId, customer }: { readonly webhookId: string | undefined; readonly customer: string | null },
  { webhooks, subscribers }: ReplayDependencies,
): Promise<readonly string[]> => {
  if (webhookId === undefined) {
    const [all = []] = await subscribers([event]);
    return receiversOf(
      event,
      all.filter((subscriber) => mayUse(customer, subscriber.customer)),
    );
  }
  const webhook = isId('whk', webhookId) ? await webhooks.find(event.owner, webhookId) : null;
  if (!webhook || !mayUse(customer, webhook.customer)) throw notFound('webhook');
  if (!mayReceive(webhook.customer, event.customer)) {
    throw invalid('webhook_id', 'other_owner', 'is a webhook of another owner than that of the event');
  }
  if (webhookId === event.about) throw invalid('webhook_id', 'invalid', 'is the webhook that this event is about');
  return [webhookId];
};

/**
 * Requests the redelivery of an event with the full schedule, to each webhook that wants the event now or only to the
 * named webhook. The new schedule replaces attempts that were still to come. Throws `not_found`, `invalid` or
 * `conflict`.
 */
export const replayEvent = (
  request: SubmitRequest & {
    readonly id: string;
    readonly webhookId: string | undefined;
    readonly customer: string | null;
  },
  dependencies: ReplayDependencies,
): Promise<{ readonly answer: Replayed; readonly isRepeat: boolean }> =>
  submitOnce(request, dependencies.commands, async () => {
    const { owner, id, nowMs } = request;
    const event = await dependencies.store.get(owner, id, nowMs);
    if (!event) throw notFound('event');
    if (event.payload_deleted_at !== undefined) throw new PassPostError('conflict', "The event's payload was deleted.");

    const receivers = await currentReceivers(event, request, dependencies);
    const delivery_ids = receivers.map((receiver) => deliveryId(Date.parse(event.created_at), id, receiver));
    const answer = { event_id: id, delivery_ids };
    if (delivery_ids.length === 0) return { answer, submission: null };
    const currentTickets = new Map(
      (await dependencies.history.find(delivery_ids, nowMs)).map((row) => [row.id, row.ticket]),
    );
    const tickets = delivery_ids.map((each) => [each, currentTickets.get(each) ?? 0]).toSorted();
    return {
      answer,
      submission: {
        entry: auditEntry(request.by, 'event.replayed', id, nowMs),
        command: {
          // The id holds a hash of the deliveries' ticket numbers, and each change of a delivery raises its number. So a second
          // replay gets the same id, and adds no second command, until the first has run.
          id: `replay#${id}#${contentHash(tickets).slice(0, 32)}`,
          owner,
          type: 'redeliver',
          trigger: 'replay',
          event_id: id,
          retention_days: event.retention_days,
          event_type: event.type,
          test: event.test_of === undefined ? undefined : true,
          delivery_ids,
        },
      },
    };
  });
