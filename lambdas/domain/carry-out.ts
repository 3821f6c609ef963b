import { type Command, type EraseCommand, eraseCommand, type OweCommand, type RecoverCommand } from './command.ts';
import type { FanOutDependencies } from './fan-out.ts';

type IsTimeUp = () => boolean;

/** Does what a command asks for, and may do it twice. Answers false where the time was up before the end. */
export const carryOut = async (
  command: Command,
  dependencies: FanOutDependencies,
  isTimeUp: IsTimeUp,
): Promise<boolean> => {
  switch (command.type) {
    case 'resume':
      return resume(command, dependencies, isTimeUp);
    case 'owe':
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
  { webhook_id, call }: Command & { type: 'resume' },
  { store, queue, clock }: FanOutDependencies,
  isTimeUp: IsTimeUp,
): Promise<boolean> => {
  await store.forgetFailing(webhook_id);
  for (;;) {
    const { tickets, hasMore } = await store.resumeHeld(webhook_id, call?.request_id, clock());
    await queue.send(tickets, clock());
    if (!hasMore) return true;
    if (isTimeUp()) return false;
  }
};

/** One event's deliveries are no more than an account may have webhooks: done in one go. */
const owe = async (command: OweCommand, { store, queue, clock }: FanOutDependencies): Promise<void> => {
  await queue.send(await store.oweAgain(command, clock()), clock());
};

/** A step of a recovery, and the next by another command. */
const recover = async (command: RecoverCommand, { store, queue, clock }: FanOutDependencies): Promise<void> => {
  const { tickets, next } = await store.recoverSome(command, clock());
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
  { store, clock }: FanOutDependencies,
): Promise<void> => {
  const { hasMore } = await store.eraseSome(webhook_id);
  if (hasMore) await store.addCommand(eraseCommand(owner, webhook_id, step + 1), clock());
};
