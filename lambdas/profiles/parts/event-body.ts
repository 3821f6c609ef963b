import type { RenderInput } from '../../domain/deliveries/profile.ts';

/**
 * Returns an event as the text of a JSON object. The stored `data` text is inserted unchanged, because parsing could
 * change numbers.
 */
export const eventBody = ({ eventId, eventType, createdAt, dataJson }: RenderInput): string =>
  `{"id":"${eventId}","type":${JSON.stringify(eventType)},"created_at":"${createdAt}","data":${dataJson}}`;
