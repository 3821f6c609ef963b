import { describe, expect, it } from 'vitest';
import { postmen } from '../../lambdas/profiles/postmen.ts';
import { testProfile } from '../helpers/profile-contract.ts';
import { renderInput } from '../helpers/render-input.ts';
import vectors from '../vectors/postmen.json' with { type: 'json' };

const keys = { privateKeys: [] };
const render = (about = renderInput(), sentAt = new Date()) =>
  postmen.render(about, { ...keys, secrets: ['any-secret'] }, {}, sentAt);

describe('the postmen profile', () => {
  // Requests are not signed, so no receiver can check a secret.
  testProfile({ profile: postmen, options: [{}], secrets: ['newest-secret', 'previous-secret'], receivers: {} });

  it.each(vectors.requests)(
    'PM-2 PM-5 renders $name ($input.eventType): headers and body equal the recorded request',
    ({ input: about, headers, body }) => {
      const request = render(about);

      expect(request).toEqual({ headers, body });
    },
  );

  it('PM-2 sends a body with exactly the members event, date_time, meta and data', () => {
    const { body } = render();

    expect(Object.keys(JSON.parse(body))).toEqual(['event', 'date_time', 'meta', 'data']);
  });

  it('PM-3 has five event types, which * means: calculate_rates, create_a_label, cancel_a_label, create_a_bulk_download, manifest_a_label', () => {
    expect(postmen.events).toEqual([
      'calculate_rates',
      'create_a_label',
      'cancel_a_label',
      'create_a_bulk_download',
      'manifest_a_label',
    ]);
  });

  it.each([
    ['2016-09-26T07:15:30.000Z', '2016-09-26T07:15:30+00:00'],
    ['2016-09-26T07:15:30.999Z', '2016-09-26T07:15:30+00:00'],
    ['2027-12-31T23:59:59.500Z', '2027-12-31T23:59:59+00:00'],
  ])('PM-4 sends an event that was created at %s with the date_time %s', (createdAt, dateTime) => {
    expect(JSON.parse(render(renderInput({ createdAt })).body).date_time).toBe(dateTime);
  });

  it('PM-5 sends the published JSON texts of meta (a partial failure, code 4713) and data unchanged', () => {
    const metaJson = '{"code":4713,"message":"Some failed.","details":[{"path":"a","info":"ø"}],"retryable":false}';

    const { body } = render(renderInput({ metaJson, dataJson: '{"id":"r-1","total":12.50}' }));

    expect(body).toContain(`"meta":${metaJson},"data":{"id":"r-1","total":12.50}}`);
  });

  it('PM-5 sends meta with code 200, message OK, no details and retryable false for an event without meta', () => {
    const { meta } = JSON.parse(render(renderInput({ metaJson: null })).body);

    expect(meta).toEqual({ code: 200, message: 'OK', details: [], retryable: false });
  });

  it('PM-6 classifies only 200, of 100 to 599, as delivered; 201, 204, 301, 410 and 500 are refused', () => {
    const delivered = Array.from({ length: 500 }, (_, i) => i + 100).filter((s) => postmen.classify(s) === 'delivered');

    expect(delivered).toEqual([200]);
    expect([201, 204, 301, 410, 500].map(postmen.classify)).toEqual(Array(5).fill('refused'));
  });

  it('PM-7 PM reading 1: waits 30 s after the first failure and 2^failures × 30 s after each further failure, 136 h 30 m 30 s in all', () => {
    expect(postmen.schedule).toEqual([30, ...Array.from({ length: 12 }, (_, i) => 2 ** (i + 2) * 30)]);
    expect(postmen.schedule[4]).toBe(960);
    expect(postmen.schedule.at(-1)).toBe(245_760);
    expect(postmen.schedule.reduce((sum, wait) => sum + wait, 0)).toBe(136 * 3600 + 30 * 60 + 30);
  });

  it('PM-7 PM reading 2: has 13 waits, which mean 14 requests', () => {
    expect(1 + postmen.schedule.length).toBe(14);
  });

  it('PM reading 7: sends the same headers for an event whose meta has retryable true as for an event without meta', () => {
    const metaJson = '{"code":4101,"message":"Busy","details":[],"retryable":true}';

    expect(render(renderInput({ metaJson })).headers).toEqual(render().headers);
  });

  it('PM reading 9: sends the courier slugs in data (fedex, dpd-uk) as they were published', () => {
    const dataJson = '{"rates":[{"shipper_account":{"slug":"fedex"}},{"shipper_account":{"slug":"dpd-uk"}}]}';

    expect(render(renderInput({ dataJson })).body).toContain(`"data":${dataJson}}`);
  });

  it('PM reading 8: sends the event id in x-passpost-event-id, and two attempts at different times are equal', () => {
    const attempts = [new Date(0), new Date()].map((sentAt) => render(renderInput(), sentAt));

    expect(attempts[0]).toEqual(attempts[1]);
    expect(attempts[0]?.headers['x-passpost-event-id']).toBe(renderInput().eventId);
  });
});
