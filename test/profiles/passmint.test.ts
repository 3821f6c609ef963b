import { describe, expect, it } from 'vitest';
import { createSecret } from '../../lambdas/domain/webhooks/secret.ts';
import { hmacSha256 } from '../../lambdas/profiles/parts/hmac-sha256.ts';
import { passmint } from '../../lambdas/profiles/passmint.ts';
import { testProfile } from '../helpers/profile-contract.ts';
import { verifyWithStripe, verifyWithStripeAt } from '../helpers/receivers/stripe.ts';
import { renderInput } from '../helpers/render-input.ts';
import vectors from '../vectors/passmint.json' with { type: 'json' };

const keys = { privateKeys: [] };
const [newest, previous] = [createSecret(), 'whsec_test'];
const render = (sentAt = new Date(), secrets: readonly [string, ...string[]] = [newest]) =>
  passmint.render(renderInput({ eventType: 'pass.installed' }), { ...keys, secrets }, {}, sentAt);

describe('the passmint profile', () => {
  testProfile({
    profile: passmint,
    options: [{}],
    secrets: [newest, previous],
    receivers: { "Stripe's library": verifyWithStripe },
  });

  it.each(vectors.signatures)(
    "MT reading 1: the HMAC of t, a dot and the body with the whole secret gives the recorded header, which Stripe's library accepts",
    ({ secret, timestamp, body, header }) => {
      const made = `t=${timestamp},v1=${hmacSha256(secret, `${timestamp}.${body}`, 'hex')}`;

      expect(made).toBe(header);
      expect(verifyWithStripeAt(timestamp * 1000)({ headers: { 'passmint-signature': header }, body }, secret)).toBe(
        true,
      );
    },
  );

  it.each(vectors.requests)(
    'MT-5 MT reading 8: renders $input.eventType; headers and body equal the recorded request (valid secrets: $secrets.length)',
    ({ input: about, secrets, sentAt, headers, body }) => {
      const [first = '', ...older] = secrets;

      const request = passmint.render(about, { ...keys, secrets: [first, ...older] }, {}, new Date(sentAt));

      expect(request).toEqual({ headers, body });
    },
  );

  it("MT-2 MT-4 * means pass.created, updated, url_viewed, downloaded, installed, removed and voided, and the body's type is the event type", () => {
    expect(passmint.events).toEqual([
      'pass.created',
      'pass.updated',
      'pass.url_viewed',
      'pass.downloaded',
      'pass.installed',
      'pass.removed',
      'pass.voided',
    ]);
    expect(JSON.parse(render().body).type).toBe('pass.installed');
  });

  it('MT-5 sends exactly content-type, user-agent, passmint-event-type, passmint-delivery-id and passmint-signature', () => {
    const { headers } = render();

    expect(headers).toEqual({
      'content-type': 'application/json',
      'user-agent': 'passmint-webhooks/1.0',
      'passmint-event-type': 'pass.installed',
      'passmint-delivery-id': renderInput().deliveryId,
      'passmint-signature': expect.stringMatching(/^t=\d{10},v1=[0-9a-f]{64}$/),
    });
  });

  it("MT-6 MT reading 4: signs an attempt two hours later again: Stripe's library then accepts the new signature and refuses the first as too old", () => {
    const sentAt = Date.UTC(2026, 10, 20, 10);
    const [first, later] = [render(new Date(sentAt)), render(new Date(sentAt + 7_200_000))];
    const verify = verifyWithStripeAt(sentAt + 7_200_000 + 299_000);

    expect(later.body).toBe(first.body);
    expect(later.headers['passmint-signature']).not.toBe(first.headers['passmint-signature']);
    expect(verify(later, newest)).toBe(true);
    expect(() => verify(first, newest)).toThrow('tolerance');
  });

  it('MT-7 MT reading 2: has the six waits 30 s, 5 m, 30 m, 2 h, 12 h and 24 h, which mean seven requests', () => {
    expect(passmint.schedule).toEqual([30, 300, 1800, 7200, 43_200, 86_400]);
    expect(1 + passmint.schedule.length).toBe(7);
  });

  it('MT reading 3: the waits between requests add up to 38 h 35 m 30 s', () => {
    expect(passmint.schedule.reduce((sum, wait) => sum + wait, 0)).toBe(38 * 3600 + 35 * 60 + 30);
  });

  it('MT-8 classifies every 2xx as delivered and no other status from 100 to 599; 410 is refused', () => {
    const all = Array.from({ length: 500 }, (_, i) => i + 100);

    expect(all.filter((status) => passmint.classify(status) === 'delivered')).toEqual(all.slice(100, 200));
    expect(passmint.classify(410)).toBe('refused');
  });

  it('MT reading 7: sends the delivery id in passmint-delivery-id and the event id as id in the body', () => {
    const { headers, body } = render();

    expect(headers['passmint-delivery-id']).toBe(renderInput().deliveryId);
    expect(JSON.parse(body).id).toBe(renderInput().eventId);
  });

  it("MT reading 10: during a rotation sends two v1 signatures, and Stripe's library accepts the request with either secret", () => {
    const request = render(new Date(), [newest, previous]);

    expect(request.headers['passmint-signature']).toMatch(/^t=\d{10},v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/);
    for (const secret of [newest, previous]) expect(verifyWithStripe(request, secret)).toBe(true);
  });
});
