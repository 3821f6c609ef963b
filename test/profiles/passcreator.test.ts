import { describe, expect, it } from 'vitest';
import { passcreator } from '../../lambdas/profiles/passcreator.ts';
import { passpost } from '../../lambdas/profiles/passpost.ts';
import { testProfile } from '../helpers/profile-contract.ts';
import { opensslVerifies } from '../helpers/receivers/openssl.ts';
import { verifyPasscreator, verifyPasscreatorWithOpenssl } from '../helpers/receivers/passcreator.ts';
import { publishedPem } from '../helpers/receivers/published-key.ts';
import { renderInput } from '../helpers/render-input.ts';
import { drawAccountKeys, materialOf } from '../helpers/signing-material.ts';
import vectors from '../vectors/passcreator.json' with { type: 'json' };

const keys = drawAccountKeys();
const { published } = keys;
const options = (chosen: object) => passcreator.options.parse(chosen);
const render = (chosen: object = {}, about = renderInput({ eventType: 'pass_created' })) =>
  passcreator.render(
    about,
    materialOf(keys, passcreator, options(chosen), ['any-secret']),
    options(chosen),
    new Date(),
  );

describe('the passcreator profile', () => {
  const secrets = ['newest-secret', 'previous-secret'] as const;
  testProfile({ profile: passcreator, options: [options({})], secrets, receivers: {} });
  testProfile({
    profile: passcreator,
    options: [options({ signPayload: true })],
    secrets,
    receivers: {},
    keyReceivers: { 'a Node.js receiver': verifyPasscreator, OpenSSL: verifyPasscreatorWithOpenssl },
    isRandomised: true,
  });

  it.each(vectors.requests)(
    'PC-8 renders $input.eventType with the default options: headers and body equal the recorded request',
    ({ input: about, headers, body }) => {
      const request = render({}, about);

      expect(request).toEqual({ headers, body });
    },
  );

  const signatures = vectors.signatures.map((vector) => [vector.statement, vector] as const);
  it.each(signatures)(
    'PC reading 1: %s, and refuses the signature if a space is added to the signed text',
    (_, { publicKey, signedData, signature }) => {
      expect(opensslVerifies(signedData, signature, publicKey)).toBe(true);
      expect(opensslVerifies(`${signedData} `, signature, publicKey)).toBe(false);
    },
  );

  it('PC-8 adds signature and signedData to the body only with the option signPayload', () => {
    const plain = ['event', 'id', 'created_at', 'data'];

    expect(Object.keys(JSON.parse(render().body))).toEqual(plain);
    expect(Object.keys(JSON.parse(render({ signPayload: true }).body))).toEqual([...plain, 'signature', 'signedData']);
  });

  it('PC-7 PC reading 1: OpenSSL verifies the signature (ECDSA P-256, SHA-256, DER in base64), and refuses it for a changed signedData', () => {
    const { signature, signedData } = JSON.parse(render({ signPayload: true }).body);

    expect(Buffer.from(signature, 'base64')[0]).toBe(0x30);
    expect(opensslVerifies(signedData, signature, publishedPem(published, 'ES256'))).toBe(true);
    expect(opensslVerifies(signedData.replace('tsk_1', 'tsk_2'), signature, publishedPem(published, 'ES256'))).toBe(
      false,
    );
  });

  it('PC reading 2: signedData is exactly the body that is rendered without signPayload', () => {
    expect(JSON.parse(render({ signPayload: true }).body).signedData).toBe(render().body);
  });

  it('PC reading 3: has the schedule of the passpost profile', () => {
    expect(passcreator.schedule).toEqual(passpost.schedule);
  });

  it('PC-2 defaults to signPayload false and subscription_url null, and refuses "yes" as signPayload', () => {
    expect(options({})).toEqual({ signPayload: false, subscription_url: null });
    expect(passcreator.options.safeParse({ signPayload: 'yes' }).success).toBe(false);
  });

  it('PC-9 classifies 200, 204, 299 as delivered and 199, 302, 404, 410, 500 as refused, and has * as its only event type', () => {
    expect([200, 204, 299].map(passcreator.classify)).toEqual(Array(3).fill('delivered'));
    expect([199, 302, 404, 410, 500].map(passcreator.classify)).toEqual(Array(5).fill('refused'));
    expect(passcreator.events).toEqual(['*']);
  });
});
