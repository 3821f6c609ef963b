import { isHeld, isWaiting } from '../deliveries/delivery.ts';
import { isUnderWay } from '../deliveries/retry-schedule.ts';
import { rescheduleDelivery } from '../deliveries/transitions.ts';
import type { StoredEvent } from '../events/event.ts';
import { auditEntry } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import { webhookOfDelivery } from '../foundation/id.ts';
import { type DeliveryView, deliveryToView } from '../history/delivery-view.ts';
import type { DeliveryHistory } from '../history/read-deliveries.ts';
import type { StoredWebhook } from '../webhooks/webhook.ts';
import { type SubmitRequest, type SubmitStore, submitOnce } from './submit-once.ts';

export interface RetryDependencies {
  readonly history: Pick<DeliveryHistory, 'find' | 'withBodies' | 'attempts'>;
  readonly webhooks: { findAny(owner: string, id: string): Promise<StoredWebhook | null> };
  readonly events: { get(owner: string, id: string, nowMs: number): Promise<StoredEvent | null> };
  readonly commands: SubmitStore;
  readonly scheduleOf: (webhook: StoredWebhook) => readonly number[];
}

const conflict = (message: string): PassPostError => new PassPostError('conflict', message);

/**
 * Requests an attempt of a delivery now. If the delivery waits for its next attempt, this attempt is made now and the
 * schedule continues after it. A settled delivery gets one more attempt, which neither uses nor restarts the schedule.
 * Returns the delivery as it will be. Throws `not_found` or `conflict`.
 */
export const retryDelivery = async (
  request: SubmitRequest & { readonly id: string },
  dependencies: RetryDependencies,
): Promise<{ readonly answer: DeliveryView; readonly isRepeat: boolean }> => {
  const { answer, isRepeat } = await submitRetry(request, dependencies);
  if (!isRepeat) return { answer, isRepeat };
  return { answer: { ...answer, response_body: await bodyOf(answer, request.nowMs, dependencies) }, isRepeat };
};

/**
 * Returns the stored response body of the last attempt that an answer counts. The first answer of a retry is stored
 * without this body, so that the erasure of an event's payload need not find first answers.
 */
const bodyOf = async (
  { id, attempts_made }: DeliveryView,
  nowMs: number,
  { history }: RetryDependencies,
): Promise<string | null> => {
  const [delivery] = await history.find([id], nowMs);
  const attempts = delivery ? await history.attempts(delivery, nowMs) : [];
  return attempts.find(({ number }) => number === attempts_made)?.response_body ?? null;
};

const submitRetry = (
  request: SubmitRequest & { readonly id: string },
  { history, webhooks, events, commands, scheduleOf }: RetryDependencies,
): Promise<{ readonly answer: DeliveryView; readonly isRepeat: boolean }> =>
  submitOnce(request, commands, async () => {
    const { owner, id, nowMs } = request;
    const [delivery] = await history.find([id], nowMs);
    if (delivery?.owner !== owner) throw notFound('delivery');
    const webhook = await webhooks.findAny(owner, webhookOfDelivery(id));
    if (webhook?.is_history_erased) throw notFound('delivery');
    if (webhook?.deleted_at !== null) throw conflict('The webhook was deleted. Nothing is sent to it any more.');
    if (isHeld(delivery)) throw conflict('The delivery is held: it is sent when its webhook is enabled.');
    if (isWaiting(delivery) && isUnderWay(delivery.due_at, nowMs)) throw conflict('An attempt is under way.');
    const event = await events.get(owner, delivery.event_id, nowMs);
    if (!event || event.payload_deleted_at !== undefined) throw conflict("The event's payload no longer exists.");

    const [complete = delivery] = await history.withBodies([delivery]);
    const answer = deliveryToView(rescheduleDelivery(complete, 'manual', nowMs), webhook, scheduleOf);
    return {
      answer,
      storedAnswer: { ...answer, response_body: null },
      submission: {
        entry: auditEntry(request.by, 'delivery.retried', id, nowMs),
        command: {
          // The command's id holds the delivery's ticket: the second of two concurrent retries finds that its command
          // exists.
          id: `retry#${id}#${delivery.ticket}`,
          owner,
          type: 'redeliver',
          trigger: 'manual',
          event_id: delivery.event_id,
          retention_days: event.retention_days,
          event_type: delivery.event_type,
          delivery_ids: [id],
          attempts_made: delivery.attempts_made,
        },
      },
    };
  });
