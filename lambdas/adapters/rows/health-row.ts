import type { ReceiverSpeed } from '../../domain/sending/slow-lane.ts';
import type { Health } from '../../domain/sending/webhook-health.ts';

/**
 * The part of an update expression that ends the failing period of a webhook: its health row leaves the `failing`
 * index.
 */
export const REMOVE_FAILING = 'REMOVE failing_since, failing_pk, failing_emitted';

type HealthRow = Readonly<Record<string, unknown>> | null;

const timeOr0 = (value: unknown): number => (typeof value === 'number' ? value : 0);

export const rowToHealth = (row: HealthRow): Health => ({
  failingSince: typeof row?.failing_since === 'number' ? row.failing_since : null,
  isFailingEmitted: row?.failing_emitted === true,
});

export const rowToReceiverSpeed = (row: HealthRow): ReceiverSpeed => ({
  isSlow: row?.slow === true,
  quickUntilMs: timeOr0(row?.quick_until),
  probedUntilMs: timeOr0(row?.probed_until),
});
