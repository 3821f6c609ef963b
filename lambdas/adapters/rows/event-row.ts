import type { StoredEvent } from '../../domain/events/event.ts';
import { retentionOf, SCHEDULE_DAYS } from '../../domain/foundation/retention.ts';
import { eventKey } from './table-keys.ts';

/** An event's row; one whose id tells no time stands in the list index besides. */
export const eventToRow = (event: StoredEvent, retentionDays: number) => ({
  ...eventKey(event.owner, event.id),
  kind: 'event',
  ...event,
  ttl:
    Math.ceil(Date.parse(event.created_at) / 1000) +
    (retentionOf(event.retention_days, retentionDays) + SCHEDULE_DAYS) * 86_400,
});
