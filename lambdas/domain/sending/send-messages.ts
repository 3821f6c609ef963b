import { type DeliveryTicket, ticketOf } from '../deliveries/delivery.ts';
import type { BatchRun } from './batch-run.ts';
import type { AssignmentWith } from './triage.ts';

export interface Queue {
  /** Returns whether a message can wait in the queue until `dueAtMs`. */
  carries(dueAtMs: number, nowMs: number): boolean;
  send(tickets: readonly DeliveryTicket[], nowMs: number): Promise<void>;
}

/**
 * Sends a new message for each delivery, due at `dueAtMs` if given, otherwise at the delivery's own time. Records
 * `outcome` as the outcome of each old message. If sending fails, records 'failed' instead and does not throw.
 */
export const sendMessages = async (
  run: BatchRun,
  assignments: readonly AssignmentWith<'delivery'>[],
  outcome: 'resent' | 'forwarded' | 'paced',
  queue: Queue,
  nowMs: number,
  dueAtMs?: number,
): Promise<void> => {
  try {
    const tickets = assignments.map(({ delivery }) => ticketOf(delivery));
    const messages = dueAtMs === undefined ? tickets : tickets.map((ticket) => ({ ...ticket, dueAtMs }));
    if (messages.length > 0) await queue.send(messages, nowMs);
    for (const assignment of assignments) run.conclude(assignment, outcome);
  } catch (cause) {
    run.fail(assignments, cause);
  }
};
