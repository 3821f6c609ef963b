import type { RenderInput } from '../../domain/deliveries/profile.ts';

/** An event as a JSON object, its `data` as it was stored: parsing it here would change numbers. */
export const eventBody = ({ eventId, eventType, createdAt, dataJson }: RenderInput): string =>
  `{"id":"${eventId}","type":${JSON.stringify(eventType)},"created_at":"${createdAt}","data":${dataJson}}`;
