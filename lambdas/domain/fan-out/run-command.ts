import {
  type Command,
  type EraseCommand,
  eraseCommand,
  type RecoverCommand,
  type RedeliverCommand,
} from '../deliveries/command.ts';
import type { DeliveryTicket } from '../deliveries/delivery.ts';

/** What commands read and change. */
export interface CommandStore {
  /** Lets some of a webhook's held deliveries go on, due now, as a request asked. Answers what now awaits its message, and whether more are held. */
  releasePage(
    webhookId: string,
    requestedBy: string | undefined,
    nowMs: number,
  ): Promise<{ tickets: readonly DeliveryTicket[]; hasMore: boolean }>;
  /** Forgets since when a webhook has been failing. */
  clearFailing(webhookId: string): Promise<void>;
  /** Makes deliveries owe again, once per command. Answers what awaits its message. */
  redeliver(command: RedeliverCommand, nowMs: number): Promise<readonly DeliveryTicket[]>;
  /** Makes some of a window's deliveries owe again. Answers what awaits its message, and where the next step begins, or null at the end. */
  recoverPage(
    command: RecoverCommand,
    nowMs: number,
  ): Promise<{
    readonly tickets: readonly DeliveryTicket[];
    readonly next: { readonly list: number; readonly after: string | null } | null;
  }>;
  /** Notes in the recovery's job how far it is. */
  noteProgress(command: RecoverCommand, done: number, isLast: boolean, nowMs: number): Promise<void>;
  /** Takes some of a webhook's deliveries away, with their attempts. Answers whether more are there. */
  erasePage(webhookId: string): Promise<{ readonly hasMore: boolean }>;
  /** Asks for more work by a row, once, however often. */
  addCommand(command: Command, nowMs: number): Promise<void>;
}

export interface CommandDependencies {
  readonly store: CommandStore;
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void> };
  readonly clock: () => number;
}

type IsTimeUp = () => boolean;

/** Does what a command asks for, and may do it twice. Answers false where the time was up before the end. */
export const runCommand = async (
  command: Command,
  dependencies: CommandDependencies,
  isTimeUp: IsTimeUp,
): Promise<boolean> => {
  switch (command.type) {
    case 'release':
      return resume(command, dependencies, isTimeUp);
    case 'redeliver':
      await owe(command, dependencies);
      return true;
    case 'recover':
      await recover(command, dependencies);
      return true;
    case 'erase-history':
      await erase(command, dependencies);
      return true;
  }
};

const resume = async (
  { webhook_id, call }: Command & { type: 'release' },
  { store, queue, clock }: CommandDependencies,
  isTimeUp: IsTimeUp,
): Promise<boolean> => {
  await store.clearFailing(webhook_id);
  for (;;) {
    const { tickets, hasMore } = await store.releasePage(webhook_id, call?.request_id, clock());
    await queue.send(tickets, clock());
    if (!hasMore) return true;
    if (isTimeUp()) return false;
  }
};

/** One event's deliveries are no more than an account may have webhooks: done in one go. */
const owe = async (command: RedeliverCommand, { store, queue, clock }: CommandDependencies): Promise<void> => {
  await queue.send(await store.redeliver(command, clock()), clock());
};

/** A step of a recovery, and the next by another command. */
const recover = async (command: RecoverCommand, { store, queue, clock }: CommandDependencies): Promise<void> => {
  const { tickets, next } = await store.recoverPage(command, clock());
  await queue.send(tickets, clock());
  const done = command.done + tickets.length;
  if (next) {
    const step = command.step + 1;
    await store.addCommand({ ...command, ...next, id: `recover#${command.job_id}#${step}`, step, done }, clock());
  }
  await store.noteProgress(command, done, next === null, clock());
};

/** Bounded, and more by another command: nobody's events wait behind thousands of rows. */
const erase = async (
  { owner, webhook_id, step }: EraseCommand,
  { store, clock }: CommandDependencies,
): Promise<void> => {
  const { hasMore } = await store.erasePage(webhook_id);
  if (hasMore) await store.addCommand(eraseCommand(owner, webhook_id, step + 1), clock());
};
