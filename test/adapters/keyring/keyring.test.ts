import { CompactEncrypt } from 'jose/jwe/compact/encrypt';
import { beforeEach, describe, expect, it } from 'vitest';
import { createKeyring } from '../../../lambdas/adapters/keyring/keyring.ts';
import { createSealer } from '../../../lambdas/adapters/keyring/sealing.ts';
import {
  createKeyring as drawKeyring,
  type KeyringContent,
  publicKeysOf,
} from '../../../lambdas/domain/keyring/keyring.ts';
import { sealSecret } from '../../../lambdas/domain/webhooks/secret.ts';
import { type SealPurpose, type StoredWebhook, storedWebhookSchema } from '../../../lambdas/domain/webhooks/webhook.ts';
import { standard } from '../../../lambdas/profiles/standard.ts';
import { useSecretsManager } from '../../helpers/secrets-manager.ts';

const OWNER = 'acc_01JDB6Q80000000000000000AA#live';
const WEBHOOK = 'whk_01JDB6Q80000000000000000AB';
const SECRET_ID = 'keyring';

const first = drawKeyring();
const second = drawKeyring();
const grown: KeyringContent = { ...first, sealing: [...second.sealing, ...first.sealing] };
const noKey = { rotation: 'overlap', signingKey: null } as const;
const sealWith = (keyring: KeyringContent, text: string, purpose: SealPurpose = 'secret'): Promise<string> =>
  createSealer(async () => publicKeysOf(keyring)).seal(OWNER, WEBHOOK, purpose, text);

/** A webhook with these sealed values. */
const webhookWith = (sealedValues: Pick<StoredWebhook, 'secrets'> & Partial<StoredWebhook>): StoredWebhook =>
  storedWebhookSchema.parse({
    id: WEBHOOK,
    owner: OWNER,
    url: 'https://receiver.example/',
    events: ['task.accepted'],
    enabled: true,
    profile: 'standard',
    profile_options: {},
    timeout_seconds: 10,
    api_version: '2026-11-01',
    allow_http: false,
    version: 1,
    created_at: '2026-11-20T10:00:00.000Z',
    updated_at: '2026-11-20T10:00:00.000Z',
    ...sealedValues,
  });

describe('the keyring', () => {
  const manager = useSecretsManager();
  let nowMs: number;
  const store = (content: KeyringContent): void => {
    manager.secrets.set(SECRET_ID, { value: JSON.stringify(content), token: null });
  };
  const keyringOf = () =>
    createKeyring({
      secrets: manager.client,
      secretId: SECRET_ID,
      readSigningKeys: async () => null,
      clock: () => nowMs,
    });
  const openAny = async (keyring: ReturnType<typeof keyringOf>) =>
    keyring.open(OWNER, WEBHOOK, 'secret', await sealWith(first, 'any'));

  beforeEach(() => {
    nowMs = 1_700_000_000_000;
    store(first);
  });

  it('opens a text that was sealed for a webhook and returns it unchanged, with byte order mark and emoji', async () => {
    const sealed = await sealWith(first, '\ufeffhemmelig 🔑');

    const opened = await keyringOf().open(OWNER, WEBHOOK, 'secret', sealed);

    expect(opened).toBe('\ufeffhemmelig 🔑');
  });

  it.each([
    ['another webhook', OWNER, 'whk_01JDB6Q80000000000000000AC'],
    ['another account', 'acc_01JDB6Q80000000000000000AZ#live', WEBHOOK],
    ["the account's other mode", OWNER.replace('live', 'test'), WEBHOOK],
  ])(
    'throws “sealed for another webhook or key” for %s, also after it opened the text for the right webhook',
    async (_name, owner, webhookId) => {
      const keyring = keyringOf();
      const sealed = await sealWith(first, 'secret');
      await keyring.open(OWNER, WEBHOOK, 'secret', sealed);

      const opening = keyring.open(owner, webhookId, 'secret', sealed);

      await expect(opening).rejects.toThrow('sealed for another webhook or key');
    },
  );

  const purposes: SealPurpose[] = ['secret', 'key-pair', 'password', 'headers', 'signing-key'];
  it.each(purposes.flatMap((sealedAs) => purposes.map((openedAs) => [sealedAs, openedAs] as const)))(
    'opens a text that was sealed as %s and is opened as %s only if both are equal, otherwise throws “sealed for another purpose”',
    async (sealedAs, openedAs) => {
      const keyring = keyringOf();
      const sealed = await sealWith(first, '{}', sealedAs);
      await keyring.open(OWNER, WEBHOOK, sealedAs, sealed);

      const opening = keyring.open(OWNER, WEBHOOK, openedAs, sealed);

      if (sealedAs === openedAs) expect(await opening).toBe('{}');
      else await expect(opening).rejects.toThrow('sealed for another purpose');
    },
  );

  it.each([
    ['headers', { headers: { names: ['x-a'] } }],
    ['basic_auth', { basic_auth: { username: 'a' } }],
  ])('openWebhook throws for a webhook whose row has its sealed signing secret under %s', async (name, over) => {
    const sealed = await sealWith(first, '{"x-a":"b"}');
    const moved = Object.fromEntries(Object.entries(over).map(([field, value]) => [field, { ...value, sealed }]));
    const webhook = webhookWith({ secrets: [{ sealed, expires_at: null }], ...moved });

    expect(Object.keys(moved)).toEqual([name]);
    await expect(keyringOf().openWebhook(webhook, noKey, nowMs)).rejects.toThrow('sealed for another purpose');
  });

  it('throws for a text whose header got another webhook id after sealing: the decryption fails', async () => {
    const [header = '', ...rest] = (await sealWith(first, 'secret')).split('.');
    const claims = { ...JSON.parse(Buffer.from(header, 'base64url').toString()), whk: 'whk_other' };
    const forged = [Buffer.from(JSON.stringify(claims)).toString('base64url'), ...rest].join('.');

    await expect(keyringOf().open(OWNER, 'whk_other', 'secret', forged)).rejects.toThrow('decryption operation failed');
  });

  it('throws for a text that was sealed with ECDH-ES: the algorithm is not allowed', async () => {
    const { kid, jwk } = publicKeysOf(first).sealing;
    const sealed = await new CompactEncrypt(Buffer.from('secret'))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid, acc: OWNER, whk: WEBHOOK })
      .encrypt(jwk);

    await expect(keyringOf().open(OWNER, WEBHOOK, 'secret', sealed)).rejects.toThrow('not allowed');
  });

  it('reads the secret once in 299.999 s and again at 300 s, and then opens a text that was sealed to the new pair', async () => {
    const keyring = keyringOf();
    await Promise.all([openAny(keyring), openAny(keyring)]);
    nowMs += 299_999;
    await openAny(keyring);
    const callsBefore = manager.calls.length;
    store(grown);
    nowMs += 1;

    const opened = await keyring.open(OWNER, WEBHOOK, 'secret', await sealWith(grown, 'new'));

    expect([callsBefore, manager.calls.length]).toEqual([1, 2]);
    expect(opened).toBe('new');
  });

  it('opens the key pairs of the valid secrets of a webhook, newest first', async () => {
    const pairs = await Promise.all(
      [null, nowMs + 1, nowMs].map(async (expires_at) => ({
        ...(await sealSecret('whsec_a', standard, (purpose, text) => sealWith(first, text, purpose))),
        expires_at,
      })),
    );

    const use = { rotation: 'overlap', signingKey: 'webhook' } as const;
    const { material } = await keyringOf().openWebhook(webhookWith({ secrets: pairs }), use, nowMs);

    const publicKeys = material.privateKeys.map((key) =>
      Buffer.from(`${key.export({ format: 'jwk' }).x}`, 'base64url'),
    );
    expect(publicKeys.map((bytes) => `whpk_${bytes.toString('base64')}`)).toEqual(
      pairs.slice(0, 2).map(({ key_pair }) => key_pair?.public_key),
    );
  });

  it('reads the secret again for a text with an unknown sealing key, once in five seconds, and opens the text when the key is there', async () => {
    const keyring = keyringOf();
    await openAny(keyring);
    const sealed = await sealWith(second, 'newer');
    nowMs += 5_000;

    await expect(keyring.open(OWNER, WEBHOOK, 'secret', sealed)).rejects.toThrow('no sealing key');
    await expect(keyring.open(OWNER, WEBHOOK, 'secret', sealed)).rejects.toThrow('no sealing key');
    const callsBefore = manager.calls.length;
    store(grown);
    nowMs += 5_000;
    const opened = await keyring.open(OWNER, WEBHOOK, 'secret', sealed);

    expect(callsBefore).toBe(2);
    expect(opened).toBe('newer');
  });

  it('opens texts that were sealed before and after a key pair was added', async () => {
    store(grown);
    const keyring = keyringOf();

    const opened = await Promise.all([
      keyring.open(OWNER, WEBHOOK, 'secret', await sealWith(first, 'old')),
      keyring.open(OWNER, WEBHOOK, 'secret', await sealWith(grown, 'new')),
    ]);

    expect(opened).toEqual(['old', 'new']);
  });

  it('throws while the secret cannot be read, and opens texts after the first successful read', async () => {
    const keyring = keyringOf();
    const sealed = await sealWith(first, 'secret');
    manager.isAway = true;
    await expect(keyring.open(OWNER, WEBHOOK, 'secret', sealed)).rejects.toThrow();
    manager.isAway = false;

    expect(await keyring.open(OWNER, WEBHOOK, 'secret', sealed)).toBe('secret');
  });

  it('opens texts with its cached keyring an hour later while the secret cannot be read', async () => {
    const keyring = keyringOf();
    await openAny(keyring);
    manager.isAway = true;
    nowMs += 3_600_000;

    const opened = await keyring.open(OWNER, WEBHOOK, 'secret', await sealWith(first, 'secret'));

    expect(opened).toBe('secret');
  });

  it('opens password, headers and valid secrets of a webhook: newest and previous with overlap, only previous with switch', async () => {
    const webhook = webhookWith({
      secrets: [
        { sealed: await sealWith(first, 'newest'), expires_at: null },
        { sealed: await sealWith(first, 'previous'), expires_at: nowMs + 1 },
        { sealed: await sealWith(first, 'expired'), expires_at: nowMs },
      ],
      basic_auth: { username: 'hotel', sealed: await sealWith(first, 'pass:word', 'password') },
      headers: { names: ['x-api-key'], sealed: await sealWith(first, '{"x-api-key":"k1"}', 'headers') },
    });
    const keyring = keyringOf();

    const overlapping = await keyring.openWebhook(webhook, noKey, nowMs);
    const switching = await keyring.openWebhook(webhook, { ...noKey, rotation: 'switch' }, nowMs);

    expect(overlapping).toMatchObject({
      material: { secrets: ['newest', 'previous'], privateKeys: [] },
      password: 'pass:word',
      headers: { 'x-api-key': 'k1' },
    });
    expect(switching.material.secrets).toEqual(['previous']);
  });
});
