import { describe, expect, it } from 'vitest';
import { inpost } from '../../lambdas/profiles/inpost.ts';
import { passpost } from '../../lambdas/profiles/passpost.ts';
import { testProfile } from '../helpers/profile-contract.ts';
import {
  type Agreed,
  verifyInpostDigitalWithOpenssl,
  verifyInpostHmac,
  verifyInpostHmacWithOpenssl,
} from '../helpers/receivers/inpost.ts';
import { opensslHmac } from '../helpers/receivers/openssl.ts';
import { renderInput } from '../helpers/render-input.ts';
import { drawAccountKeys, materialOf } from '../helpers/signing-material.ts';
import vectors from '../vectors/inpost.json' with { type: 'json' };

const keys = drawAccountKeys();
const render = (chosen: object = {}, about = renderInput(), sentAt = new Date()) => {
  const options = inpost.options.parse(chosen);
  return inpost.render(about, materialOf(keys, inpost, options, ['inpost-shared']), options, sentAt);
};

const choices: Agreed[] = (['body', 'timestamp_body'] as const).flatMap((signed_content) =>
  (['sha256', 'sha512'] as const).flatMap((hash) =>
    (['rsa-sha256', 'ecdsa-p256-sha256'] as const).map((algorithm) => ({ signed_content, hash, algorithm })),
  ),
);

/** The recorded requests, each with a description for the test's title. */
const requests = vectors.requests.map((vector) => {
  const { eventType, apiVersion } = vector.input;
  return [`${eventType}, version ${apiVersion}, with the options ${JSON.stringify(vector.options)}`, vector] as const;
});

describe('the inpost profile', () => {
  const secrets = ['inpost-delt-nøkkel-🔑', 'inpost-shared'] as const;
  describe.each(choices)(
    'IP-4 IP-5 with signed_content $signed_content, hash $hash and algorithm $algorithm',
    (agreed) => {
      testProfile({
        profile: inpost,
        options: [{ mechanism: 'hmac', ...agreed }],
        secrets,
        receivers: { 'a Node.js receiver': verifyInpostHmac(agreed), OpenSSL: verifyInpostHmacWithOpenssl(agreed) },
      });
      testProfile({
        profile: inpost,
        options: [{ mechanism: 'digital', ...agreed }],
        secrets,
        receivers: {},
        keyReceivers: { OpenSSL: verifyInpostDigitalWithOpenssl(agreed) },
        isRandomised: agreed.algorithm === 'ecdsa-p256-sha256',
      });
      testProfile({ profile: inpost, options: [{ mechanism: 'none', ...agreed }], secrets, receivers: {} });
    },
  );

  it.each(vectors.signatures)(
    'IP-8 the recorded SHA-256 HMAC that $statement is accepted by a Node.js receiver and equals the HMAC of OpenSSL',
    ({ secret, timestamp, body, signature }) => {
      const isStamped = timestamp !== null;
      const agreed = { signed_content: isStamped ? 'timestamp_body' : 'body', hash: 'sha256' } as const;
      const headers = { 'x-inpost-signature': signature, 'x-inpost-timestamp': timestamp ?? '' };

      const verify = verifyInpostHmac({ ...agreed, algorithm: 'rsa-sha256' });

      expect(verify({ headers, body }, secret)).toBe(true);
      expect(opensslHmac('sha256', secret, isStamped ? `${timestamp}.${body}` : body)).toBe(signature);
    },
  );

  it.each(requests)(
    'IP-6 renders %s: headers and body equal the recorded request',
    (_, { options, input: about, sentAt, headers, body }) => {
      const request = render(options, about, new Date(sentAt));

      expect(request).toEqual({ headers, body });
    },
  );

  it('IP-1 IP reading 4: signs the body by HMAC with SHA-256 by default, and sends no x-inpost-signature with mechanism none', () => {
    expect(inpost.options.parse({})).toEqual({
      mechanism: 'hmac',
      signed_content: 'body',
      hash: 'sha256',
      algorithm: 'rsa-sha256',
    });
    expect(render().headers).toHaveProperty('x-inpost-signature');
    expect(render({ mechanism: 'none' }).headers).not.toHaveProperty('x-inpost-signature');
  });

  it('IP reading 2: the HMAC in x-inpost-signature has 32 bytes with hash sha256 and 64 bytes with hash sha512', () => {
    const bytes = (hash: string) => Buffer.from(`${render({ hash }).headers['x-inpost-signature']}`, 'base64').length;

    expect([bytes('sha256'), bytes('sha512')]).toEqual([32, 64]);
  });

  it('IP reading 3 of an unclear place in the documentation: with mechanism digital, the default is an RSA signature of 256 bytes; an ECDSA signature begins with the DER byte 0x30', () => {
    const signature = (chosen: object) =>
      Buffer.from(`${render({ mechanism: 'digital', ...chosen }).headers['x-inpost-signature']}`, 'base64');

    expect(signature({})).toHaveLength(256);
    expect(signature({ algorithm: 'ecdsa-p256-sha256' })[0]).toBe(0x30);
  });

  it('IP-6 sends x-inpost-topic: Shipment.Tracking for event types that begin with task., and the event type itself for all others', () => {
    const topic = (eventType: string) => render({}, renderInput({ eventType })).headers['x-inpost-topic'];

    expect(['task.created', 'task.accepted', 'task.cancelled'].map(topic)).toEqual(Array(3).fill('Shipment.Tracking'));
    expect(['pass.created', 'stock.low', 'tasks'].map(topic)).toEqual(['pass.created', 'stock.low', 'tasks']);
  });

  it('IP-9 IP reading 5: a later attempt has the same x-inpost-event-id and, with timestamp_body, a new timestamp and a new signature', () => {
    const chosen = { signed_content: 'timestamp_body' };
    const at = (sentAt: string) => render(chosen, renderInput(), new Date(sentAt)).headers;

    const [first, second] = [at('2024-04-26T14:00:03.165Z'), at('2024-04-26T14:01:03.165Z')];

    expect(second['x-inpost-event-id']).toBe(first['x-inpost-event-id']);
    expect(first['x-inpost-timestamp']).toBe('2024-04-26T14:00:03.165Z');
    expect(second['x-inpost-timestamp']).toBe('2024-04-26T14:01:03.165Z');
    expect(second['x-inpost-signature']).not.toBe(first['x-inpost-signature']);
  });

  it('IP-9 IP reading 5: has the schedule of the passpost profile, and classifies 200 and 299 as delivered, 302 and 410 as refused', () => {
    expect(inpost.schedule).toEqual(passpost.schedule);
    expect([200, 299, 302, 410].map(inpost.classify)).toEqual(['delivered', 'delivered', 'refused', 'refused']);
  });

  it('IP-7 renders id, type and created_at in version 2026-11-01, and event_id, event_type and timestamp with the same values in 2024-06-01', () => {
    const [newest = '', older = ''] = inpost.apiVersions;
    const at = (apiVersion: string) => render({}, renderInput({ apiVersion }));

    expect([newest, older]).toEqual(['2026-11-01', '2024-06-01']);
    expect(Object.keys(JSON.parse(at(newest).body))).toEqual(['id', 'type', 'created_at', 'data']);
    expect(Object.keys(JSON.parse(at(older).body))).toEqual(['event_id', 'event_type', 'timestamp', 'data']);
    expect(Object.values(JSON.parse(at(older).body))).toEqual(Object.values(JSON.parse(at(newest).body)));
    expect([newest, older].map((version) => at(version).headers['x-inpost-api-version'])).toEqual([newest, older]);
  });

  it('IP-7 puts the stored JSON text of data into the body unchanged, in every payload version', () => {
    const dataJson = '{"n":1.0,"big":12345678901234567890}';

    for (const apiVersion of inpost.apiVersions) {
      expect(render({}, renderInput({ apiVersion, dataJson })).body).toContain(`"data":${dataJson}}`);
    }
  });
});
