import { beforeEach, describe, expect, it } from 'vitest';
import { createKeyring } from '../../../lambdas/adapters/keyring/keyring.ts';
import { createSealer } from '../../../lambdas/adapters/keyring/sealing.ts';
import { createKeyring as drawKeyring, publicKeysOf } from '../../../lambdas/domain/keyring/keyring.ts';
import { createSigningKey } from '../../../lambdas/domain/keyring/provide-signing-key.ts';
import type { StoredSigningKeys } from '../../../lambdas/domain/keyring/signing-keys.ts';
import type { StoredWebhook } from '../../../lambdas/domain/webhooks/webhook.ts';
import { useSecretsManager } from '../../helpers/secrets-manager.ts';
import { aWebhook } from '../../helpers/virtual-engine.ts';

const OWNER = 'acc_01JDB6Q80000000000000000AA#live';
const WEBHOOK = 'whk_01JDB6Q80000000000000000AB';
const es256 = { rotation: 'switch', signingKey: 'ES256' } as const;
const content = drawKeyring();
const { seal } = createSealer(async () => publicKeysOf(content));

describe('the keyring of the deliver function, for a webhook that signs with a key of the account', () => {
  const manager = useSecretsManager();
  const rows = new Map<string, StoredSigningKeys>();
  let nowMs: number;
  let reads: number;
  beforeEach(() => {
    nowMs = 1_700_000_000_000;
    reads = 0;
    rows.clear();
    manager.secrets.set('keyring', { value: JSON.stringify(content), token: null });
  });

  const keyringOf = () =>
    createKeyring({
      secrets: manager.client,
      secretId: 'keyring',
      readSigningKeys: async (owner, alg) => {
        reads++;
        return rows.get(`${owner} ${alg}`) ?? null;
      },
      clock: () => nowMs,
    });
  const webhookOfOwner = async (): Promise<StoredWebhook> => {
    const secrets = [{ sealed: await seal(OWNER, WEBHOOK, 'secret', 'a'), expires_at: null }];
    return aWebhook({ id: WEBHOOK, owner: OWNER, secrets });
  };
  /** Stores the ES256 keys of the owner, newest first, each with its start. Their private keys are sealed for `sealedFor`. */
  const storeKeys = async (starts: readonly number[], sealedFor = OWNER) => {
    const sealKey = (_: string, kid: string, jwk: string) => seal(sealedFor, kid, 'signing-key', jwk);
    const keys = await Promise.all(
      starts.map((signsFromMs) => createSigningKey(OWNER, 'ES256', { signsFromMs, nowMs }, sealKey)),
    );
    rows.set(`${OWNER} ES256`, { owner: OWNER, alg: 'ES256', version: 1, keys });
    return keys;
  };
  /** Returns the place of the key, among the stored keys, that signs a request of the webhook. */
  const signer = async (keyring: ReturnType<typeof keyringOf>, webhook: StoredWebhook): Promise<number | undefined> => {
    const { material } = await keyring.openWebhook(webhook, es256, nowMs);
    const { x } = material.privateKeys[0]?.export({ format: 'jwk' }) ?? {};
    return rows.get(`${OWNER} ES256`)?.keys.findIndex(({ jwk }) => jwk.x === x);
  };

  it('signs with the newest key of the account whose time has come, and reads the keys once in 299.999 s and again at 300 s', async () => {
    const webhook = await webhookOfOwner();
    await storeKeys([nowMs + 60_000, nowMs]);
    const keyring = keyringOf();

    const before = await signer(keyring, webhook);
    nowMs += 59_999;
    const justBefore = await signer(keyring, webhook);
    nowMs += 1;
    const after = await signer(keyring, webhook);
    nowMs += 239_999;
    await signer(keyring, webhook);
    const readsBefore = reads;
    nowMs += 1;
    await signer(keyring, webhook);

    expect([before, justBefore, after]).toEqual([1, 1, 0]);
    expect([readsBefore, reads]).toEqual([1, 2]);
  });

  it('reads missing signing keys of an account again after five seconds, and throws meanwhile', async () => {
    const webhook = await webhookOfOwner();
    const keyring = keyringOf();
    await expect(keyring.openWebhook(webhook, es256, nowMs)).rejects.toThrow('the account has no ES256 signing key');
    await storeKeys([nowMs]);
    await expect(keyring.openWebhook(webhook, es256, nowMs)).rejects.toThrow('the account has no ES256 signing key');

    nowMs += 5_000;

    expect(await signer(keyring, webhook)).toBe(0);
  });

  it('throws for a signing key whose row was copied from another account, and for one that is no longer sealed', async () => {
    const webhook = await webhookOfOwner();
    const [key] = await storeKeys([nowMs], 'acc_01JDB6Q80000000000000000AZ#live');
    await expect(keyringOf().openWebhook(webhook, es256, nowMs)).rejects.toThrow('sealed for another webhook or key');

    rows.set(`${OWNER} ES256`, { owner: OWNER, alg: 'ES256', version: 1, keys: key ? [{ ...key, sealed: null }] : [] });

    await expect(keyringOf().openWebhook(webhook, es256, nowMs)).rejects.toThrow('has no ES256 signing key');
  });
});
