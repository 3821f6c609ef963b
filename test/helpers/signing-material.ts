import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { SigningMaterial } from '../../lambdas/domain/deliveries/profile.ts';

const keyOf = ({ privateKey }: { privateKey: KeyObject }) => ({ kid: 'key-1', privateKey });

/** Signing keys of some deployment, and one secret that every profile accepts. */
export const material: SigningMaterial = {
  secrets: ['whsec_dGVzdC1zZWNyZXQtMzItYnl0ZXMtbG9uZy0hISEhISE='],
  ed25519: keyOf(generateKeyPairSync('ed25519')),
  ecdsaP256: keyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  rsa: keyOf(generateKeyPairSync('rsa', { modulusLength: 2048 })),
};
