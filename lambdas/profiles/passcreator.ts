// https://developer.passcreator.com: the body contains the signature and the exact text that was signed. The key is the account's P-256 key.

import { sign } from 'node:crypto';
import * as z from 'zod';
import { type Profile, privateKeyOf } from '../domain/deliveries/profile.ts';
import { any2xx, ownHeaders, sevenHours } from './parts/defaults.ts';
import { textSecret } from './parts/text-secret.ts';

const options = z.strictObject({
  signPayload: z.boolean().default(false),
  /** A URL that the subscriber gives to its subscription. The API stores and lists the URL, but never calls it. */
  subscription_url: z.string().max(2048).nullable().default(null),
});

export const passcreator: Profile<z.infer<typeof options>> = {
  name: 'passcreator',
  events: ['*'],
  options,
  // Passcreator does not document how long it waits between retries, so its webhooks use the schedule of seven hours.
  // `retryEnabled: false` creates a webhook with an empty schedule.
  schedule: sevenHours,
  headerPrefixes: [],
  apiVersions: ['2026-11-01'],
  secret: textSecret,
  rotation: 'switch',
  signingKey: ({ signPayload }) => (signPayload ? 'ES256' : null),
  classify: any2xx,
  render: ({ eventId, eventType, createdAt, dataJson }, material, { signPayload }) => {
    const members = `"event":${JSON.stringify(eventType)},"id":"${eventId}","created_at":"${createdAt}","data":${dataJson}`;
    if (!signPayload) return { headers: ownHeaders, body: `{${members}}` };
    const signedData = `{${members}}`;
    const signature = sign('sha256', Buffer.from(signedData), privateKeyOf(material)).toString('base64');
    return {
      headers: ownHeaders,
      body: `{${members},"signature":"${signature}","signedData":${JSON.stringify(signedData)}}`,
    };
  },
};
