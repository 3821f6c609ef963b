import { createPublicKey } from 'node:crypto';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { webhookKey } from '../../lambdas/adapters/rows/table-keys.ts';
import type { Rendered } from '../../lambdas/domain/deliveries/profile.ts';
import { storedWebhookSchema } from '../../lambdas/domain/webhooks/webhook.ts';
import { profileNames, profileOf } from '../../lambdas/profiles/index.ts';
import { aCaller, type Caller, useApi } from '../helpers/api-caller.ts';
import { verifyInpostDigitalWithOpenssl, verifyInpostHmac } from '../helpers/receivers/inpost.ts';
import { verifyPasscreator } from '../helpers/receivers/passcreator.ts';
import { verifyPasspost } from '../helpers/receivers/passpost.ts';
import { verifyV1a, verifyWithStandardWebhooks } from '../helpers/receivers/standard.ts';
import { verifyWithStripe } from '../helpers/receivers/stripe.ts';
import { renderInput } from '../helpers/render-input.ts';
import { useSigningKeys } from '../helpers/signing-keys.ts';
import type { PublishedKey } from '../helpers/signing-material.ts';
import { useTables } from '../helpers/tables.ts';

/** What a receiver knows of the account that sends to it: the secret of the webhook, and public keys. */
interface Known {
  readonly secret: string;
  readonly publicKeys: readonly PublishedKey[];
}
interface Case {
  readonly name: string;
  readonly profile: string;
  readonly options?: Record<string, unknown>;
  readonly verify: (request: Rendered, known: Known) => boolean;
}

const inpostDigital = (algorithm: 'rsa-sha256' | 'ecdsa-p256-sha256'): Case => {
  const agreed = { signed_content: 'timestamp_body', hash: 'sha256', algorithm } as const;
  const verify = verifyInpostDigitalWithOpenssl(agreed);
  return {
    name: `inpost with ${algorithm}`,
    profile: 'inpost',
    options: { ...agreed, mechanism: 'digital' },
    verify: (request, { publicKeys }) => verify(request, publicKeys),
  };
};
const hmac = { signed_content: 'timestamp_body', hash: 'sha256', algorithm: 'rsa-sha256' } as const;

const cases: readonly Case[] = [
  { name: 'passpost', profile: 'passpost', verify: (request, { secret }) => verifyPasspost(request, secret) },
  { name: 'passmint', profile: 'passmint', verify: (request, { secret }) => verifyWithStripe(request, secret) },
  {
    name: 'inpost with hmac',
    profile: 'inpost',
    options: { ...hmac, mechanism: 'hmac' },
    verify: (request, { secret }) => verifyInpostHmac(hmac)(request, secret),
  },
  inpostDigital('rsa-sha256'),
  inpostDigital('ecdsa-p256-sha256'),
  {
    name: 'passcreator with signPayload',
    profile: 'passcreator',
    options: { signPayload: true },
    verify: (request, { publicKeys }) => verifyPasscreator(request, publicKeys),
  },
  {
    name: 'standard with v1',
    profile: 'standard',
    verify: (request, { secret }) => verifyWithStandardWebhooks(request, secret),
  },
  {
    name: 'standard with v1a',
    profile: 'standard',
    verify: (request, { publicKeys }) => verifyV1a(request, publicKeys),
  },
];
/** Profiles that sign no request. Postmen's receivers know the sender by a secret in the URL of the webhook. */
const unsigned = ['postmen'];

const passes = (verify: () => boolean): boolean => {
  try {
    return verify();
  } catch {
    return false;
  }
};

describe('a request that another account has signed with the same URL, event and profile options', () => {
  const tables = useTables();
  const webhooksApi = useApi(tables, 'webhooks-api');
  const publicApi = useApi(tables, 'public-keys-api', '');
  const signing = useSigningKeys(tables);

  /** Registers the webhook. Returns the request that deliver would make, and what a receiver of the account knows. */
  const register = async (caller: Caller, { profile, options = {} }: Case, sentAt: Date) => {
    const body = {
      url: 'https://93.184.215.14/hook',
      events: ['task.accepted'],
      profile,
      profile_options: options,
    };
    const { json } = await webhooksApi('POST', '/webhooks', caller, { body });
    const Key = marshall(webhookKey(caller.owner, json.id));
    const { Item = {} } = await tables.client.send(new GetItemCommand({ TableName: tables.domainTable, Key }));
    const webhook = storedWebhookSchema.parse(unmarshall(Item));
    const { rotation, signingKey, render, options: schema } = profileOf(profile);
    const chosen = schema.parse(webhook.profile_options);
    const use = { rotation, signingKey: signingKey?.(chosen) ?? null };
    const { material } = await signing.keyringAt(Date.now).openWebhook(webhook, use, sentAt.getTime());

    const path = `/accounts/${caller.accountId}/live/jwks.json`;
    const published = (await publicApi('GET', path, caller)).json.keys as PublishedKey[];
    const ofWebhook = json.public_key === null ? [] : [jwkOf(json.public_key)];
    const known: Known = { secret: json.secret, publicKeys: [...published, ...ofWebhook] };
    return { request: render(renderInput(), material, chosen, sentAt), known };
  };
  /** Returns the JWK of a public key in the form of Standard Webhooks, `whpk_` and base64. */
  const jwkOf = (text: string): PublishedKey => {
    const x = Buffer.from(text.slice('whpk_'.length), 'base64').toString('base64url');
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return { kty: 'OKP', crv: 'Ed25519', x, alg: 'EdDSA' };
  };

  it.each(cases.map((each) => [each.name, each] as const))(
    '%s: is refused with the keys of the first account, which verify the own request of this account',
    async (_, each) => {
      const sentAt = new Date();
      const victim = await register(await aCaller(tables), each, sentAt);
      const attacker = await register(await aCaller(tables), each, sentAt);

      expect(passes(() => each.verify(victim.request, victim.known))).toBe(true);
      expect(passes(() => each.verify(attacker.request, attacker.known))).toBe(true);
      expect(passes(() => each.verify(attacker.request, victim.known))).toBe(false);
    },
  );

  it.each(cases.map((each) => [each.name, each] as const))(
    '%s: is refused with the live keys of an account if the account has signed the request in the mode test',
    async (_, each) => {
      const sentAt = new Date();
      const live = await aCaller(tables);
      const test = await aCaller(tables, { accountId: live.accountId, mode: 'test' });
      const victim = await register(live, each, sentAt);
      const { request } = await register(test, each, sentAt);

      expect(passes(() => each.verify(request, victim.known))).toBe(false);
    },
  );

  it('is tested for every profile that signs its requests', () => {
    const tested = new Set(cases.map(({ profile }) => profile));

    expect([...tested, ...unsigned].toSorted()).toEqual([...profileNames].toSorted());
  });
});
