import type { PublicKeys } from '../../domain/keyring/keyring.ts';

export interface Sealer {
  /**
   * Encrypts a text for one webhook of one owner (`acc_…#live`). Only the keyring can decrypt the result, and only for
   * the same webhook.
   */
  seal(owner: string, webhookId: string, text: string): Promise<string>;
}

/**
 * Creates a sealer, which encrypts with the deployment's public key. A sealer has no private key, so it cannot decrypt
 * what it encrypted.
 */
export const createSealer = (publicKeys: () => Promise<PublicKeys>): Sealer => ({
  async seal(owner, webhookId, text) {
    // Loads the encryption on first use, because few calls seal a text.
    const [{ sealing }, { CompactEncrypt }] = await Promise.all([publicKeys(), import('jose/jwe/compact/encrypt')]);
    return new CompactEncrypt(new TextEncoder().encode(text))
      .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: sealing.kid, acc: owner, whk: webhookId })
      .encrypt(sealing.jwk);
  },
});
