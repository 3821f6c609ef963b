import type { RenderInput } from '../../domain/deliveries/profile.ts';

/** An event as a JSON object. The stored `data` text is inserted unchanged, because parsing could change numbers. */
export const eventBody = ({ eventId, eventType, createdAt, dataJson }: RenderInput): string =>
  `{"id":"${eventId}","type":${JSON.stringify(eventType)},"created_at":"${createdAt}","data":${dataJson}}`;
