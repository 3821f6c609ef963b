import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { describe, expect, it } from 'vitest';
import { createPublicKeys, putPublicKeys } from '../../../lambdas/adapters/keyring/public-keys.ts';
import { createSealer } from '../../../lambdas/adapters/keyring/sealing.ts';
import { createKeyring, publicKeysOf } from '../../../lambdas/domain/keyring/keyring.ts';
import { useTables } from '../../helpers/tables.ts';

const keyring = createKeyring();
const OWNER = 'acc_01JDB6Q80000000000000000AA#live';
const WEBHOOK = 'whk_01JDB6Q80000000000000000AB';

describe('the sealer', () => {
  const tables = useTables();

  it('seals a text with the stored public key; the stored key does not decrypt the text, and the private sealing key does', async () => {
    await putPublicKeys(tables.client, tables.credentialsTable, publicKeysOf(keyring));
    const { read } = createPublicKeys(tables.client, tables.credentialsTable, () => 0);

    const sealed = await createSealer(read).seal(OWNER, WEBHOOK, 'secret', 'secret');

    const publicKeys = await read();
    await expect(compactDecrypt(sealed, publicKeys.sealing.jwk)).rejects.toThrow();
    const { plaintext } = await compactDecrypt(sealed, { ...keyring.sealing[0]?.jwk });
    expect(Buffer.from(plaintext).toString()).toBe('secret');
  });

  it('puts the key id, the owner, the id of the webhook and the purpose into the protected header, and seals a text differently each time', async () => {
    const sealer = createSealer(async () => publicKeysOf(keyring));

    const [first, second] = [
      await sealer.seal(OWNER, WEBHOOK, 'secret', 'secret'),
      await sealer.seal(OWNER, WEBHOOK, 'secret', 'secret'),
    ];

    expect(decodeProtectedHeader(first)).toMatchObject({
      alg: 'ECDH-ES+A256KW',
      enc: 'A256GCM',
      kid: keyring.sealing[0]?.kid,
      acc: OWNER,
      whk: WEBHOOK,
      purpose: 'secret',
    });
    expect(second).not.toBe(first);
  });
});
