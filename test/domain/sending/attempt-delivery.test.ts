import { describe, expect, it } from 'vitest';
import { storedDeliverySchema } from '../../../lambdas/domain/deliveries/delivery.ts';
import { deliveryId } from '../../../lambdas/domain/foundation/id.ts';
import { attemptDelivery, type PostRequest } from '../../../lambdas/domain/sending/attempt-delivery.ts';
import { profileOf } from '../../../lambdas/profiles/index.ts';
import { drawAccountKeys } from '../../helpers/signing-material.ts';
import { anEvent, aWebhook } from '../../helpers/virtual-engine.ts';

const keys = drawAccountKeys();
const [password, values] = ['påss:word', { 'x-api-key': 'k-1', 'x-tenant': 't-1', 'x-inpost-topic': 'forged' }];

/** Attempts a delivery to a webhook with these settings. Returns the sent request and the recorded attempt. */
const attempt = async (
  over: Parameters<typeof aWebhook>[0],
  answerTo: (request: PostRequest) => string = () => 'ok',
  test?: boolean,
) => {
  const webhook = aWebhook({ events: ['*'], ...over });
  const event = anEvent();
  const id = deliveryId(Date.parse(event.created_at), event.id, webhook.id);
  const state = { ticket: 1, step: 0, attempts_made: 0, due_at: 0, parked: false, settled_at: null };
  const ids = { id, owner: 'acc_1#live', event_id: event.id, event_type: event.type, created_at: event.created_at };
  const delivery = storedDeliverySchema.parse({ ...state, ...ids, test, status: 'pending', trigger: 'schedule' });
  const posts: PostRequest[] = [];
  const attempted = await attemptDelivery(delivery, event, webhook, {
    profileOf,
    open: async (_, { signingKey }) => ({
      material: { privateKeys: keys.privateKeysOf(signingKey), secrets: ['any-secret'] },
      password,
      headers: values,
    }),
    post: async (request) => {
      posts.push(request);
      return { status: 200, body: answerTo(request), retryAfter: null, startedAtMs: 0, durationMs: 1, error: null };
    },
    clock: Date.now,
  });
  return { headers: posts[0]?.headers ?? {}, body: posts[0]?.body ?? '', attempted };
};

const basic = { username: 'client', sealed: 'sealed' };

describe('attemptDelivery', () => {
  it('IP-2 IP reading 1: sends the Basic auth of an inpost webhook as Authorization, not as Authentication', async () => {
    const { headers } = await attempt({ profile: 'inpost', basic_auth: basic });

    expect(headers.authorization).toBe(`Basic ${Buffer.from(`client:${password}`).toString('base64')}`);
    expect(headers).not.toHaveProperty('authentication');
  });

  it('IP-3 sends two custom headers of an inpost webhook together with x-inpost-signature, without Authorization', async () => {
    const { headers } = await attempt({ profile: 'inpost' });

    expect(headers).toMatchObject({ 'x-api-key': 'k-1', 'x-tenant': 't-1' });
    expect(headers).toHaveProperty('x-inpost-signature');
    expect(headers).not.toHaveProperty('authorization');
  });

  it('IP reading 7: sends the x-inpost-topic of the profile although the webhook has a custom header x-inpost-topic', async () => {
    expect((await attempt({ profile: 'inpost' })).headers['x-inpost-topic']).toBe('Shipment.Tracking');
  });

  it.each(['passpost', 'postmen', 'passmint', 'passcreator', 'inpost', 'standard'])(
    'IP reading 6: sends all header names of the profile %s in lower case, each name once',
    async (profile) => {
      const names = Object.keys((await attempt({ profile, basic_auth: basic })).headers);

      expect(names).toEqual([...new Set(names.map((name) => name.toLowerCase()))]);
    },
  );

  it.each(['passpost', 'postmen', 'passmint', 'passcreator', 'inpost', 'standard'])(
    'sends the header x-passpost-test: true with a test delivery on the profile %s, and not with other deliveries',
    async (profile) => {
      const { headers, attempted } = await attempt({ profile }, undefined, true);

      expect(headers['x-passpost-test']).toBe('true');
      expect(attempted.attempt.request_headers).toContain('x-passpost-test');
      expect((await attempt({ profile })).headers).not.toHaveProperty('x-passpost-test');
    },
  );

  it('records the names of the sent headers, but no password, custom header value or secret', async () => {
    const { headers, attempted } = await attempt({ profile: 'inpost', basic_auth: basic });

    expect(attempted.attempt.request_headers).toEqual(Object.keys(headers));
    for (const value of [password, 'k-1', 'any-secret']) expect(JSON.stringify(attempted)).not.toContain(value);
  });

  // An answer that repeated the request was once stored with every header value and signature.
  it.each(['passpost', 'passmint', 'passcreator', 'inpost', 'standard'])(
    'stores an answer that repeats a signed request of the profile %s without password, header values, secret and signature',
    async (profile) => {
      const url = 'https://receiver.example/hook?token=any-token-1&state=accepted';
      const profile_options = profile === 'passcreator' ? { signPayload: true } : {};
      const { headers, body, attempted } = await attempt(
        { profile, url, profile_options, basic_auth: basic },
        (request) => JSON.stringify({ ...request, status: 'accepted', secret: 'any-secret' }),
      );

      const stored = attempted.attempt.response_body ?? '';
      const signature =
        Object.entries(headers).find(([name]) => name.includes('signature'))?.[1] ?? JSON.parse(body).signature;
      expect(stored).toContain('"status":"accepted"');
      expect(stored).toContain('"x-api-key":"***"');
      const hidden = [
        password,
        headers.authorization ?? '',
        '"t-1"',
        'any-token-1',
        'any-secret',
        /[\w+/]{40,}/.exec(signature)?.[0] ?? signature,
      ];
      for (const value of hidden) expect(stored).not.toContain(value);
    },
  );
});
