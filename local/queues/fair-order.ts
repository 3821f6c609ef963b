import type { SqsQueue } from './fauxqs.ts';

/**
 * A message group is noisy if it has at least this many messages in flight, and more than this share of all messages in
 * flight: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
 */
const NOISY = { inFlight: 30, share: 0.1 };

/**
 * The order in which SQS returns the messages of a queue whose messages have groups (a fair queue). Messages of noisy
 * groups wait while messages of other groups are visible. A noisy group stays noisy until its backlog is gone. SQS also
 * judges a group's share of processing time; this class does not, so a group with few slow messages is not noisy here.
 */
export class FairOrder {
  readonly #queue: SqsQueue;
  readonly #noisy = new Set<string>();

  constructor(queue: SqsQueue) {
    this.#queue = queue;
  }

  /**
   * Moves the next `max` messages to the front of the queue: messages of quiet groups and without a group first, then
   * messages of the noisy group that has the fewest messages in flight.
   */
  apply(max: number): void {
    const { messages } = this.#queue;
    if (messages.length <= max) this.#noisy.clear();
    if (this.#noisy.size === 0) return;
    const inFlight = this.#countInFlight();
    const { quiet, noisy } = this.#firstPlaces(max);
    const byInFlight = [...noisy].toSorted(([a], [b]) => (inFlight.get(a) ?? 0) - (inFlight.get(b) ?? 0));
    const places = [...quiet, ...byInFlight.flatMap(([, ofGroup]) => ofGroup)].slice(0, max);
    const next = places.flatMap((place) => messages[place] ?? []);
    for (const place of places.toSorted((a, b) => b - a)) messages.splice(place, 1);
    messages.unshift(...next);
  }

  /** Finds the groups that have become noisy. Called after messages were received. */
  findNoisy(): void {
    const { size } = this.#queue.inflightMessages;
    if (size < NOISY.inFlight) return;
    for (const [group, count] of this.#countInFlight()) {
      if (count >= NOISY.inFlight && count > NOISY.share * size) this.#noisy.add(group);
    }
  }

  /** Returns the number of messages in flight of each group. */
  #countInFlight(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { message } of this.#queue.inflightMessages.values()) {
      const group = message.messageGroupId;
      if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    return counts;
  }

  /**
   * Returns the places in the queue of the first `max` messages of quiet groups. If there are fewer, also returns the
   * places of the first `max` messages of each noisy group; a noisy group without a visible message becomes quiet.
   */
  #firstPlaces(max: number): { quiet: number[]; noisy: Map<string, number[]> } {
    const quiet: number[] = [];
    const noisy = new Map<string, number[]>();
    for (const [place, { messageGroupId }] of this.#queue.messages.entries()) {
      if (messageGroupId === undefined || !this.#noisy.has(messageGroupId)) {
        if (quiet.push(place) === max) return { quiet, noisy: new Map() };
        continue;
      }
      const places = noisy.get(messageGroupId);
      if (!places) noisy.set(messageGroupId, [place]);
      else if (places.length < max) places.push(place);
    }
    for (const group of this.#noisy) if (!noisy.has(group)) this.#noisy.delete(group);
    return { quiet, noisy };
  }
}
