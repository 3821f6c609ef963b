import { afterEnabling } from './after-attempt.ts';
import type { DeliverDependencies, Finished } from './deliver-batch.ts';
import { ticketOf } from './fan-out.ts';

/** A webhook may have been enabled between being read and its delivery being held; then nobody else would let it go on. */
export const resumeIfEnabled = async (
  standing: readonly Finished[],
  { store, queue, clock }: DeliverDependencies,
): Promise<void> => {
  const held = standing.flatMap(({ assignment, change, outcome }) =>
    outcome === 'held' && assignment.webhook ? [{ webhook: assignment.webhook, delivery: change.after }] : [],
  );
  if (held.length === 0) return;
  const now = await store.readAgain(held.map(({ webhook }) => webhook));
  const changes = held.flatMap(({ delivery }, index) =>
    now[index]?.enabled && now[index].deleted_at === null
      ? [{ before: delivery, after: afterEnabling(delivery, clock()) }]
      : [],
  );
  const recorded = await store.record(changes);
  const resumed = changes.filter((_, index) => recorded[index]).map(({ after }) => ticketOf(after));
  if (resumed.length > 0) await queue.send(resumed, clock());
};
