import { createPrivateKey } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { hmacSha256 } from '../../lambdas/profiles/parts/hmac-sha256.ts';
import { standard } from '../../lambdas/profiles/standard.ts';
import { testProfile } from '../helpers/profile-contract.ts';
import { verifyV1a, verifyWithStandardWebhooks, verifyWithSvix } from '../helpers/receivers/standard.ts';
import { renderInput } from '../helpers/render-input.ts';
import vectors from '../vectors/standard.json' with { type: 'json' };

const secret = 'whsec_dGVzdC1zZWNyZXQtMzItYnl0ZXMtbG9uZy0hISEhISE=';

describe('the standard profile', () => {
  testProfile({
    profile: standard,
    options: [{}],
    secrets: [secret, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    receivers: { standardwebhooks: verifyWithStandardWebhooks, svix: verifyWithSvix },
    keyReceivers: { 'a receiver that checks v1a': verifyV1a },
  });

  it.each(vectors.signatures)(
    'Standard Webhooks: HMAC-SHA-256 and the standardwebhooks library give the recorded signature of $statement',
    (vector) => {
      const key = Buffer.from(vector.secret.slice(6), 'base64');

      const made = `v1,${hmacSha256(key, `${vector.id}.${vector.timestamp}.${vector.body}`, 'base64')}`;

      expect(made).toBe(vector.signature);
      expect(new Webhook(vector.secret).sign(vector.id, new Date(vector.timestamp * 1000), vector.body)).toBe(made);
    },
  );

  it.each(vectors.requests)(
    'Standard Webhooks: renders $input.eventType with $secrets.length valid secrets: headers and body equal the recorded request',
    (vector) => {
      const [newest = '', ...older] = vector.secrets;
      const privateKeys = [createPrivateKey({ key: vectors.ed25519, format: 'jwk' })];

      const material = { privateKeys, secrets: [newest, ...older] as const };
      const request = standard.render(vector.input, material, {}, new Date(vector.sentAt));

      expect(request).toEqual({ headers: vector.headers, body: vector.body });
    },
  );

  it('Standard Webhooks: a later attempt has the same webhook-id (the event id), a new webhook-timestamp and a new webhook-signature', () => {
    const attempt = (sentAt: string) =>
      standard.render(renderInput(), { privateKeys: [], secrets: [secret] }, {}, new Date(sentAt)).headers;

    const [first, second] = [attempt('2026-11-20T10:00:00.999Z'), attempt('2026-11-20T10:00:06.000Z')];

    expect(first['webhook-id']).toBe(renderInput().eventId);
    expect(second['webhook-id']).toBe(first['webhook-id']);
    expect([first['webhook-timestamp'], second['webhook-timestamp']]).toEqual(['1795168800', '1795168806']);
    expect(second['webhook-signature']).not.toBe(first['webhook-signature']);
  });

  it('Standard Webhooks: classifies exactly the 2xx statuses as delivered and only 410 as gone', () => {
    const all = Array.from({ length: 500 }, (_, i) => i + 100);

    expect(all.filter((status) => standard.classify(status) === 'delivered')).toEqual(all.slice(100, 200));
    expect(all.filter((status) => standard.classify(status) === 'gone')).toEqual([410]);
  });

  it("Standard Webhooks: has the specification's nine waits from 5 s to 24 h, 75 h 35 m 5 s in all", () => {
    expect(standard.schedule).toEqual([5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    expect(standard.schedule.reduce((sum, wait) => sum + wait, 0)).toBe(75 * 3600 + 35 * 60 + 5);
  });

  it.each([
    ['accepts a secret of 24 bytes, the fewest allowed', 24, true],
    ['accepts a secret of 64 bytes, the most allowed', 64, true],
    ['refuses a secret of 23 bytes', 23, false],
    ['refuses a secret of 65 bytes', 65, false],
  ])('%s', (_name, bytes, isTaken) => {
    const own = `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;

    expect(standard.secret.safeParse(own).success).toBe(isTaken);
  });

  it.each([
    ['without the prefix whsec_', 'plain text secret'],
    ['with spaces and a comma after whsec_', 'whsec_not base64 at all, though long enough'],
    ['with underscores after whsec_, which base64 does not have', `whsec_${'_'.repeat(44)}`],
  ])('refuses a secret %s', (_, own) => {
    expect(standard.secret.safeParse(own).success).toBe(false);
  });
});
