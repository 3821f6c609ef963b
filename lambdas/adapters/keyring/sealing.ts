import type { PublicKeys } from '../../domain/keyring/keyring.ts';
import type { Seal } from '../../domain/webhooks/create-webhook.ts';

export interface Sealer {
  /**
   * Encrypts a text for one purpose of one webhook, or of one signing key, of one owner (`acc_…#live`). Only the keyring
   * can decrypt the result, and only for the same webhook (or key) and purpose.
   */
  readonly seal: Seal;
}

/**
 * Creates a sealer, which encrypts with the deployment's public key. A sealer has no private key, so it cannot decrypt
 * what it encrypted.
 */
export const createSealer = (publicKeys: () => Promise<PublicKeys>): Sealer => ({
  async seal(owner, id, purpose, text) {
    // Loads the encryption on first use, because few calls seal a text.
    const [{ sealing }, { CompactEncrypt }] = await Promise.all([publicKeys(), import('jose/jwe/compact/encrypt')]);
    return new CompactEncrypt(new TextEncoder().encode(text))
      .setProtectedHeader({
        alg: 'ECDH-ES+A256KW',
        enc: 'A256GCM',
        kid: sealing.kid,
        acc: owner,
        // The id of the webhook, or of the signing key.
        whk: id,
        purpose,
      })
      .encrypt(sealing.jwk);
  },
});
