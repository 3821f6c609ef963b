import type { PublicKeys } from '../../domain/keyring/keyring.ts';

export interface Sealer {
  /** Seals a text for one webhook of one owner (`acc_…#live`): what comes out only the keyring opens, and only as that webhook's. */
  seal(owner: string, webhookId: string, text: string): Promise<string>;
}

/** Seals to the deployment's public key. Nothing here, nor anything it is given, can open what it made. */
export const createSealer = (publicKeys: () => Promise<PublicKeys>): Sealer => ({
  async seal(owner, webhookId, text) {
    // Few calls seal anything.
    const [{ sealing }, { CompactEncrypt }] = await Promise.all([publicKeys(), import('jose/jwe/compact/encrypt')]);
    return new CompactEncrypt(new TextEncoder().encode(text))
      .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: sealing.kid, acc: owner, whk: webhookId })
      .encrypt(sealing.jwk);
  },
});
