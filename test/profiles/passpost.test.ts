import { describe, expect, it } from 'vitest';
import { hmacSha256 } from '../../lambdas/profiles/parts/hmac-sha256.ts';
import { passpost } from '../../lambdas/profiles/passpost.ts';
import { testProfile } from '../helpers/profile-contract.ts';
import { verifyPasspost } from '../helpers/receivers/passpost.ts';
import { verifyPasspostInPython } from '../helpers/receivers/passpost-python.ts';
import { renderInput } from '../helpers/render-input.ts';
import vectors from '../vectors/passpost.json' with { type: 'json' };

const keys = { privateKeys: [] };
const render = (secret: string, about = renderInput()) =>
  passpost.render(about, { ...keys, secrets: [secret] }, {}, new Date());

describe('the passpost profile', () => {
  testProfile({
    profile: passpost,
    options: [{}],
    secrets: ['pp_whs_ny_nøkkel_🔑', 'pp_whs_test'],
    receivers: {
      'the Node.js receiver of the PassPost page': verifyPasspost,
      'the Python receiver of the PassPost page': verifyPasspostInPython,
    },
  });

  it('PP-5 * means task.accepted, task.picked_up, task.delivered, task.completed and task.cancelled', () => {
    expect(passpost.events).toEqual([
      'task.accepted',
      'task.picked_up',
      'task.delivered',
      'task.completed',
      'task.cancelled',
    ]);
  });

  it.each(vectors.signatures)(
    '$statement the HMAC-SHA-256 of the raw body, in hex after sha256=, is the recorded signature, which the Node.js receiver accepts',
    ({ secret, body, signature }) => {
      const made = `sha256=${hmacSha256(secret, body, 'hex')}`;

      expect(made).toBe(signature);
      expect(verifyPasspost({ headers: { 'x-passpost-signature': signature }, body }, secret)).toBe(true);
    },
  );

  it.each(vectors.requests)(
    'PP-6 renders $input.eventType: headers and body equal the recorded request',
    ({ input: about, secrets, headers, body, sentAt }) => {
      const [secret = ''] = secrets;

      const request = passpost.render(about, { ...keys, secrets: [secret] }, {}, new Date(sentAt));

      expect(request).toEqual({ headers, body });
    },
  );

  it('PP-6 PP reading 3: with two valid secrets sends one signature: sha256= and 64 hexadecimal digits, 71 characters', () => {
    const { headers } = passpost.render(
      renderInput(),
      { ...keys, secrets: ['newest-secret', 'previous'] },
      {},
      new Date(),
    );

    expect(headers['x-passpost-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
    expect(headers['x-passpost-signature']).toHaveLength(71);
  });

  it('PP-6 PP reading 2: the body has id, type, created_at and data, and data is the stored JSON text unchanged', () => {
    const { body } = render('pp_whs_test', renderInput({ dataJson: '{"n":1.0,"big":12345678901234567890}' }));

    expect(body).toContain('"data":{"n":1.0,"big":12345678901234567890}}');
    expect(Object.keys(JSON.parse(body))).toEqual(['id', 'type', 'created_at', 'data']);
  });

  it('PP-8 classifies every 2xx as delivered and no other status from 100 to 599; 410 is refused', () => {
    const delivered = Array.from({ length: 500 }, (_, i) => i + 100).filter(
      (s) => passpost.classify(s) === 'delivered',
    );

    expect(delivered).toEqual(Array.from({ length: 100 }, (_, i) => i + 200));
    expect(passpost.classify(410)).toBe('refused');
  });

  it('PP-9 PP reading 1: has the five waits 1 m, 5 m, 15 m, 1 h and 6 h, 7 h 21 m in all', () => {
    expect(passpost.schedule).toEqual([60, 300, 900, 3600, 21_600]);
    expect(passpost.schedule.reduce((sum, wait) => sum + wait, 0)).toBe(7 * 3600 + 21 * 60);
  });

  it.each([
    ['of 7 characters', 'seven77'],
    ['of 257 characters', 'x'.repeat(257)],
    ['with a lone surrogate', 'lone \ud800 surrogate'],
  ])('refuses a secret %s', (_, secret) => {
    expect(passpost.secret.safeParse(secret).success).toBe(false);
  });
});
