// https://docs.postmen.com/webhooks.html: requests are not signed, the secret is in the URL's query, and only 200 is a success.

import type { Profile } from '../domain/deliveries/profile.ts';
import { type NoOptions, noOptions, ownHeaders } from './parts/defaults.ts';
import { textSecret } from './parts/text-secret.ts';

/** The `meta` of Postmen's envelope if the publisher gave none. */
const SUCCESS_META = '{"code":200,"message":"OK","details":[],"retryable":false}';

export const postmen: Profile<NoOptions> = {
  name: 'postmen',
  events: ['calculate_rates', 'create_a_label', 'cancel_a_label', 'create_a_bulk_download', 'manifest_a_label'],
  options: noOptions,
  // Postmen's examples wait 30 s after the first failure and 960 s after the fifth, which no single formula gives. We wait
  // 30 s after the first failure and 2^failures × 30 s after each further one: 13 waits between 14 requests, 136 h 30 m 30 s in total.
  schedule: [30, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 30_720, 61_440, 122_880, 245_760],
  headerPrefixes: ['x-passpost-'],
  apiVersions: ['2026-11-01'],
  secret: textSecret,
  rotation: 'switch',
  classify: (status) => (status === 200 ? 'delivered' : 'refused'),
  render: ({ eventId, eventType, createdAt, dataJson, metaJson }) => ({
    // Postmen's envelope has no id, so a header of our own lets receivers recognise repeats.
    headers: { ...ownHeaders, 'x-passpost-event-id': eventId },
    body: `{"event":${JSON.stringify(eventType)},"date_time":"${createdAt.slice(0, 19)}+00:00","meta":${metaJson ?? SUCCESS_META},"data":${dataJson}}`,
  }),
};
