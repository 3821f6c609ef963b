import * as z from 'zod';
import { drawApiKey, hashApiKey } from '../accounts/api-key.ts';
import type { OperatorKey, StoredOperator } from '../accounts/operator.ts';
import { PassPostError } from '../foundation/errors.ts';
import { DAY_SECONDS, SECOND_MS } from '../foundation/time.ts';
import { FIRST_OPERATOR_ID, firstOperator } from './key-material.ts';
import { type KeyringSecret, rotationSchema } from './rotate-keyring.ts';

/** The longest overlap of an operator's two API keys, in seconds. */
const MAX_OVERLAP_SECONDS = 30 * DAY_SECONDS;

export const operatorRotationSchema = z.strictObject({
  operation: z.literal('rotate-operator-key'),
  /** Seconds for which the former API key stays valid. */
  overlap_seconds: z.int().min(0).max(MAX_OVERLAP_SECONDS).default(DAY_SECONDS),
});

/** An operator's request to the key-material function. */
export const keyMaterialRequestSchema = z.discriminatedUnion('operation', [rotationSchema, operatorRotationSchema]);

/** The result of a rotation. It holds no key. */
export interface OperatorRotation {
  readonly prefix: string;
  /** When the former API key expires. */
  readonly former_key_ends_at: string;
}

export interface OperatorRotationDependencies {
  /** The secret that holds the first operator's API key. */
  readonly secret: KeyringSecret;
  readonly find: (id: string) => Promise<StoredOperator | null>;
  /** Adds the operator. Returns false if it exists. */
  readonly add: (operator: StoredOperator, key: OperatorKey) => Promise<boolean>;
  /** Gives the operator another API key; a deleted operator exists again. Returns false if the key has changed. */
  readonly replaceKey: (before: StoredOperator, key: OperatorKey) => Promise<boolean>;
  readonly expireKey: (hash: string, endMs: number) => Promise<void>;
}

/**
 * Gives the first operator a new API key, in the deployment's secret too, and lets the former one expire. The table gets
 * the new key before the secret: a run that dies in between leaves the former key valid, and the next run draws another.
 * So a key that was in the secret earlier never becomes valid again. Throws `conflict`.
 */
export const rotateFirstOperatorKey = async (
  { secret, find, add, replaceKey, expireKey }: OperatorRotationDependencies,
  overlapSeconds: number,
  nowMs: number,
): Promise<OperatorRotation> => {
  const former = await secret.read();
  if (former === null) throw new PassPostError('conflict', 'The secret is empty: deploy the stack first.');
  const before = await find(FIRST_OPERATOR_ID);
  const drawn = drawApiKey('live').key;
  const { operator, key } = firstOperator(drawn, nowMs);
  const isDone = await (before === null ? add(operator, key) : replaceKey(before, key));
  const stored = isDone ? await secret.replace(former, drawn) : former;
  if (stored !== drawn) {
    await expireKey(key.hash, nowMs);
    throw new PassPostError('conflict', 'Another rotation runs at the same time. Run the command again.');
  }
  const endMs = nowMs + overlapSeconds * SECOND_MS;
  for (const hash of new Set([hashApiKey(former), ...(before ? [before.hash] : [])])) await expireKey(hash, endMs);
  return { prefix: operator.prefix, former_key_ends_at: new Date(endMs).toISOString() };
};
