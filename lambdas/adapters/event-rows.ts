import type { StoredEvent } from '../domain/event.ts';
import { retentionOf } from '../domain/retention.ts';
import { eventKey } from './table-keys.ts';

/** The longest schedule lasts 14 days; until its last attempt a delivery needs its event. */
const SCHEDULE_DAYS = 14;

/** An event's row; one whose id tells no time stands in the list index besides. */
export const eventToRow = (event: StoredEvent, retentionDays: number) => ({
  ...eventKey(event.owner, event.id),
  kind: 'event',
  ...event,
  ttl:
    Math.ceil(Date.parse(event.created_at) / 1000) +
    (retentionOf(event.retention_days, retentionDays) + SCHEDULE_DAYS) * 86_400,
});
