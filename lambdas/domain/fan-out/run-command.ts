import {
  type Command,
  type EraseCommand,
  type ErasePayloadCommand,
  type EraseTasksCommand,
  eraseCommand,
  eraseTasksCommand,
  type RecoverCommand,
  type RedeliverCommand,
  type ReleaseCommand,
} from '../deliveries/command.ts';
import type { DeliveryTicket } from '../deliveries/delivery.ts';
import { type PageReleaser, releasePages } from './release-held.ts';

/** The reads and writes that running a command needs. */
export interface CommandStore extends PageReleaser {
  /** Removes the time since which a webhook has been failing. */
  clearFailing(webhookId: string): Promise<void>;
  /**
   * Makes the deliveries of a command due again, once per command. Returns the tickets whose messages are still to be
   * sent.
   */
  redeliver(command: RedeliverCommand, nowMs: number): Promise<readonly DeliveryTicket[]>;
  /**
   * Makes one page of the deliveries in a recovery's time window due again. Returns the tickets whose messages are
   * still to be sent, and where the next step begins. `next` is null after the last page.
   */
  recoverPage(
    command: RecoverCommand,
    nowMs: number,
  ): Promise<{
    readonly tickets: readonly DeliveryTicket[];
    readonly next: { readonly list: number; readonly after: string | null } | null;
  }>;
  /** Writes the number of recovered deliveries into the recovery's job. `isLast` completes the job. */
  recordRecoveryProgress(command: RecoverCommand, done: number, isLast: boolean, nowMs: number): Promise<void>;
  /** Erases one page of a webhook's deliveries with their attempts. Returns whether more are left. */
  erasePage(webhookId: string): Promise<{ readonly hasMore: boolean }>;
  /**
   * Erases the response bodies of an event's deliveries and the content of its job, and cancels the deliveries that are
   * unfinished.
   */
  erasePayload(command: ErasePayloadCommand, nowMs: number): Promise<void>;
  /** Erases one page of an owner's tasks. Returns whether more are left. */
  eraseTasksPage(owner: string): Promise<{ readonly hasMore: boolean }>;
  /** Submits a command. Does nothing if a command with the same id exists. */
  addCommand(command: Command, nowMs: number): Promise<void>;
  /** Marks a command as carried out. Does nothing if the command has no row. */
  markDone(command: Command, nowMs: number): Promise<void>;
  /** Returns whether a command is marked as carried out. */
  isDone(command: Command): Promise<boolean>;
}

export interface CommandDependencies {
  readonly store: CommandStore;
  readonly queue: { send(tickets: readonly DeliveryTicket[], nowMs: number, isBulk?: boolean): Promise<void> };
  readonly clock: () => number;
}

/**
 * Runs a command and marks it as carried out. Does nothing if the roll-up submitted the command again and it is marked.
 * Returns false if the time was up before the end.
 */
export const carryOutCommand = async (
  command: Command,
  dependencies: CommandDependencies,
  isTimeUp: () => boolean,
): Promise<boolean> => {
  const { store, clock } = dependencies;
  if (command.resubmitted_at !== undefined && (await store.isDone(command))) return true;
  if (!(await runCommand(command, dependencies, isTimeUp))) return false;
  await store.markDone(command, clock());
  return true;
};

/** Runs a command. Running it twice has the same effect as once. Returns false if the time was up before the end. */
export const runCommand = async (
  command: Command,
  dependencies: CommandDependencies,
  isTimeUp: () => boolean,
): Promise<boolean> => {
  switch (command.type) {
    case 'release':
      return release(command, dependencies, isTimeUp);
    case 'redeliver':
      await redeliver(command, dependencies);
      return true;
    case 'recover':
      await recover(command, dependencies);
      return true;
    case 'erase-history':
      await erase(command, dependencies);
      return true;
    case 'erase-tasks':
      await eraseTasks(command, dependencies);
      return true;
    case 'erase-payload':
      await dependencies.store.erasePayload(command, dependencies.clock());
      return true;
  }
};

const release = async (
  { webhook_id, call }: ReleaseCommand,
  dependencies: CommandDependencies,
  isTimeUp: () => boolean,
): Promise<boolean> => {
  await dependencies.store.clearFailing(webhook_id);
  return (await releasePages(webhook_id, call?.request_id, dependencies, isTimeUp)).isComplete;
};

/**
 * Makes one event's deliveries due again and sends their messages. Needs no pages, because one event has at most as
 * many deliveries as an account may have webhooks.
 */
const redeliver = async (command: RedeliverCommand, { store, queue, clock }: CommandDependencies): Promise<void> => {
  await queue.send(await store.redeliver(command, clock()), clock());
};

/** Runs one step of a recovery, submits a command for the next step and records the progress. */
const recover = async (command: RecoverCommand, { store, queue, clock }: CommandDependencies): Promise<void> => {
  const { tickets, next } = await store.recoverPage(command, clock());
  await queue.send(tickets, clock(), true);
  const done = command.done + tickets.length;
  if (next) {
    const step = command.step + 1;
    await store.addCommand({ ...command, ...next, id: `recover#${command.job_id}#${step}`, step, done }, clock());
  }
  await store.recordRecoveryProgress(command, done, next === null, clock());
};

/**
 * Erases one page of a webhook's deliveries and submits a command for the next page, so that the stream shard is never
 * blocked for long.
 */
const erase = async (
  { owner, webhook_id, step }: EraseCommand,
  { store, clock }: CommandDependencies,
): Promise<void> => {
  const { hasMore } = await store.erasePage(webhook_id);
  if (hasMore) await store.addCommand(eraseCommand(owner, webhook_id, step + 1), clock());
};

/** Erases one page of a deleted account's tasks and submits a command for the next page. */
const eraseTasks = async ({ owner, step }: EraseTasksCommand, { store, clock }: CommandDependencies): Promise<void> => {
  const { hasMore } = await store.eraseTasksPage(owner);
  if (hasMore) await store.addCommand(eraseTasksCommand(owner, step + 1), clock());
};
