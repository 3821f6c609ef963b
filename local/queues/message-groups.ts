import { AsyncLocalStorage } from 'node:async_hooks';
import type { SqsQueue } from './fauxqs.ts';
import type { SendEntry } from './queue-limits.ts';

/** The messages of the send request that the current asynchronous context handles. */
const entriesOfRequest = new AsyncLocalStorage<SendEntry[]>();

/** Calls `handle`, which passes the messages of one send request to their queue. */
export const whileSending = (entries: readonly SendEntry[], handle: () => void): void =>
  entriesOfRequest.run([...entries], handle);

/** Makes a queue store the group id of each sent message, because fauxqs drops the group id in a standard queue. */
export const storeGroupsIn = (queue: SqsQueue): void => {
  const enqueue = queue.enqueue.bind(queue);
  queue.enqueue = (message) => {
    const entries = entriesOfRequest.getStore() ?? [];
    const place = entries.findIndex(({ MessageBody }) => MessageBody === message.body);
    const [entry] = place < 0 ? [] : entries.splice(place, 1);
    if (typeof entry?.MessageGroupId === 'string') message.messageGroupId = entry.MessageGroupId;
    enqueue(message);
  };
};
