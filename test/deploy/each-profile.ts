import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { toJwk } from '../../lambdas/domain/keyring/keyring.ts';
import type { SigningKeyView } from '../../lambdas/domain/keyring/signing-keys.ts';
import { verifyInpostHmac } from '../helpers/receivers/inpost.ts';
import { verifyPasscreator } from '../helpers/receivers/passcreator.ts';
import { verifyPasspost } from '../helpers/receivers/passpost.ts';
import { verifyWithStandardWebhooks } from '../helpers/receivers/standard.ts';
import { verifyWithStripe } from '../helpers/receivers/stripe.ts';
import type { PublishedKey } from '../helpers/signing-material.ts';
import type { ApiAnswer } from './api-call.ts';
import { type Received, startRefusingReceiver } from './refusing-receiver.ts';

type Call = (method: string, path: string, key: string | null, body?: unknown) => Promise<ApiAnswer>;

interface ProfileCase {
  readonly profile: string;
  readonly type: string;
  readonly options?: object;
  /** Whether a receiver of this profile accepts the request as genuine. */
  isGenuine(received: Received, secret: string, keys: readonly PublishedKey[]): boolean;
}

const postmenMembers = ['event', 'date_time', 'meta', 'data'];

const cases: readonly ProfileCase[] = [
  { profile: 'passpost', type: 'task.delivered', isGenuine: verifyPasspost },
  { profile: 'standard', type: 'task.delivered', isGenuine: verifyWithStandardWebhooks },
  {
    profile: 'postmen',
    type: 'calculate_rates',
    // Postmen signs nothing, because its secret is in the URL.
    isGenuine: ({ body }) => Object.keys(JSON.parse(body)).join() === postmenMembers.join(),
  },
  { profile: 'passmint', type: 'pass.installed', isGenuine: verifyWithStripe },
  {
    profile: 'passcreator',
    type: 'pass_created',
    options: { signPayload: true },
    isGenuine: (received, _, keys) => verifyPasscreator(received, keys),
  },
  {
    profile: 'inpost',
    type: 'task.delivered',
    options: { mechanism: 'hmac', signed_content: 'timestamp_body', hash: 'sha256' },
    isGenuine: verifyInpostHmac({ signed_content: 'timestamp_body', hash: 'sha256', algorithm: 'rsa-sha256' }),
  },
];

/** Publishes one event for a webhook of each profile, and checks that it arrives as that profile's receivers expect it. */
export const deliverToEachProfile = async (
  call: Call,
  key: string,
  eventually: <T>(expectation: string, seconds: number, read: () => T | undefined) => Promise<T>,
): Promise<void> => {
  for (const { profile, type, options = {}, isGenuine } of cases) {
    const receiver = await startRefusingReceiver();
    try {
      const webhook = await call('POST', '/api/public/v1/webhooks', key, {
        url: receiver.url,
        events: [type],
        profile,
        profile_options: options,
        allow_http: true,
        schedule: [1],
      });
      assert.equal(webhook.status, 201, JSON.stringify(webhook.body));
      const published = await call('POST', '/api/public/v1/events', key, { type, data: { profile } });
      assert.equal(published.status, 202, JSON.stringify(published.body));
      const [received] = await eventually(`one event of the profile ${profile} arrives`, 60, () =>
        receiver.received.length > 0 ? receiver.received : undefined,
      );
      const { body: signingKeys } = await call('GET', '/api/public/v1/signing-keys', key);
      const keys = (signingKeys.data as SigningKeyView[]).map(({ algorithm, public_key_pem }) => ({
        ...toJwk(createPublicKey(public_key_pem)),
        alg: algorithm,
      }));
      assert.ok(received && isGenuine(received, String(webhook.body.secret), keys), profile);
      const deleted = await call('DELETE', `/api/public/v1/webhooks/${webhook.body.id}`, key);
      assert.equal(deleted.status, 204, JSON.stringify(deleted.body));
    } finally {
      await receiver.stop();
    }
  }
};
