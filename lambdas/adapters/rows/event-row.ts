import type { StoredEvent } from '../../domain/events/event.ts';
import { retentionOf, SCHEDULE_DAYS } from '../../domain/foundation/retention.ts';
import { ttlSeconds } from '../../domain/foundation/time.ts';
import { eventKey } from './table-keys.ts';

/**
 * Returns the row of an event. The row expires after the retention and one longest schedule, so that every retry finds
 * its event.
 */
export const eventToRow = (event: StoredEvent, retentionDays: number) => ({
  ...eventKey(event.owner, event.id),
  kind: 'event',
  ...event,
  ttl: ttlSeconds(Date.parse(event.created_at), retentionOf(event.retention_days, retentionDays) + SCHEDULE_DAYS),
});
