import * as z from 'zod';
import { type Actor, auditEntry, type StoredAuditEntry } from '../foundation/audit.ts';
import { notFound, PassPostError } from '../foundation/errors.ts';
import { drawId } from '../foundation/id.ts';
import {
  type AnswerWithSecret,
  answerOnce,
  type FirstAnswer,
  type IdempotentRequest,
  type KeyedAnswer,
} from '../foundation/idempotency.ts';
import { rowVersion } from '../foundation/row-version.ts';
import { SECOND_MS } from '../foundation/time.ts';
import { drawApiKey, nameSchema, type StoredApiKey } from './api-key.ts';

/** The maximum number of operators of a deployment. */
const MAX_OPERATORS = 100;

/** The maximum number of requests of an operator's API key in a minute. */
const OPERATOR_RATE_LIMIT = 600;

/** A person or a program that runs the deployment and has an API key with the scope `admin`, as the API shows it. */
export const operatorSchema = z
  .object({
    id: z.string(),
    name: nameSchema,
    prefix: z.string().meta({ description: 'The beginning of the current API key.' }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Operator' });
export type Operator = z.infer<typeof operatorSchema>;

/** An operator as its row holds it. */
export const storedOperatorSchema = operatorSchema.extend({
  v: rowVersion,
  /** The hash of the current API key. */
  hash: z.string(),
  /** The hash of the API key before the last rotation; absent if there was none. */
  former_hash: z.string().optional(),
  /** When the operator was deleted. The row stays, so that a deployment does not add the first operator again. */
  deleted_at: z.string().nullish(),
});
export type StoredOperator = z.infer<typeof storedOperatorSchema>;

/** An operator's new API key: the row of the key without the hash, and the hash, under which the row is stored. */
export interface OperatorKey {
  readonly hash: string;
  readonly key: Omit<StoredApiKey, 'account_id' | 'expires_at' | 'created_to_expire_at' | 'revoked_at' | 'v'>;
}

export interface Operators {
  firstAnswer(path: string, idempotencyKey: string, nowMs: number): Promise<FirstAnswer<Operator> | null>;
  /** Lists the operators that are not deleted, oldest first. */
  list(): Promise<readonly StoredOperator[]>;
  /** Returns an operator, also a deleted one; null if there is none. */
  find(id: string): Promise<StoredOperator | null>;
  /** Adds an operator with its API key, the first answer and the audit entry, in one transaction. */
  add(
    operator: StoredOperator,
    key: OperatorKey,
    firstAnswer: KeyedAnswer<Operator> | null,
    entry: StoredAuditEntry,
    nowMs: number,
  ): Promise<'added' | 'repeated' | 'busy'>;
  /** Gives an operator another API key, in one transaction. Returns 'outdated' if the key changed since it was read. */
  replaceKey(
    before: StoredOperator,
    key: OperatorKey,
    firstAnswer: KeyedAnswer<Operator> | null,
    entry: StoredAuditEntry,
    nowMs: number,
  ): Promise<'replaced' | 'repeated' | 'outdated' | 'busy'>;
  /** Marks an operator as deleted. Returns 'last' if it is the only one. */
  remove(id: string, entry: StoredAuditEntry): Promise<'removed' | 'last' | 'gone'>;
  /** Lets an API key expire at this time, unless it expires earlier. */
  expireKey(hash: string, endMs: number): Promise<void>;
}

export interface OperatorRequest extends IdempotentRequest {
  readonly by: Actor;
  readonly nowMs: number;
}

/** The account id of audit entries about operators. */
export const OPERATORS_AUDIT = 'operator';

/**
 * Makes the stored form of a new API key of an operator. All keys of an operator have the operator's id as their own id.
 */
export const operatorKey = (
  { id, name }: Pick<StoredOperator, 'id' | 'name'>,
  { hash, prefix }: { readonly hash: string; readonly prefix: string },
  nowMs: number,
): OperatorKey => ({
  hash,
  key: {
    id,
    name,
    prefix,
    scopes: ['admin'],
    mode: 'live',
    customer: null,
    limit: OPERATOR_RATE_LIMIT,
    ws: 0,
    n: 0,
    created_at: new Date(nowMs).toISOString(),
  },
});

const busy = (): PassPostError =>
  new PassPostError('conflict', 'Too many changes of operators at the same time. Please try again.');

/** Creates an operator. The answer shows its API key once. Throws `conflict` above `MAX_OPERATORS`. */
export const createOperator = (
  request: OperatorRequest,
  name: string,
  operators: Operators,
): Promise<AnswerWithSecret<Operator>> => {
  const { by, contentHash, idempotencyKey, nowMs } = request;
  const path = '/operators';
  return answerOnce(
    request,
    (key) => operators.firstAnswer(path, key, nowMs),
    async () => {
      if ((await operators.list()).length >= MAX_OPERATORS) {
        throw new PassPostError('conflict', `A deployment has at most ${MAX_OPERATORS} operators.`);
      }
      const { key: secret, hash, prefix } = drawApiKey('live');
      const answer = { id: drawId('opr', nowMs), name, prefix, created_at: new Date(nowMs).toISOString() };
      const firstAnswer = idempotencyKey === null ? null : { idempotencyKey, path, contentHash, answer };
      const entry = auditEntry({ ...by, accountId: OPERATORS_AUDIT }, 'operator.created', answer.id, nowMs);
      const key = operatorKey(answer, { hash, prefix }, nowMs);
      const outcome = await operators.add({ ...answer, hash }, key, firstAnswer, entry, nowMs);
      if (outcome === 'added') return { answer, secret };
      if (outcome === 'repeated') return outcome;
      throw busy();
    },
  );
};

const findOperator = async (operators: Operators, id: string): Promise<StoredOperator> => {
  const operator = await operators.find(id);
  if (!operator || operator.deleted_at) throw notFound('operator');
  return operator;
};

/**
 * Gives an operator a new API key. The old key stays valid for the overlap. If the second of the two writes fails, a
 * repeat of the request makes it. Throws `not_found` or `conflict`.
 */
export const rotateOperator = async (
  request: OperatorRequest,
  id: string,
  overlapSeconds: number,
  operators: Operators,
): Promise<AnswerWithSecret<Operator>> => {
  const { by, contentHash, idempotencyKey, nowMs } = request;
  const path = `/operators/${id}/rotate`;
  const rotated = await answerOnce(
    request,
    (key) => operators.firstAnswer(path, key, nowMs),
    async () => {
      const before = await findOperator(operators, id);
      const { key: secret, hash, prefix } = drawApiKey('live');
      const answer = { id, name: before.name, prefix, created_at: before.created_at };
      const firstAnswer = idempotencyKey === null ? null : { idempotencyKey, path, contentHash, answer };
      const entry = auditEntry({ ...by, accountId: OPERATORS_AUDIT }, 'operator.key_rotated', id, nowMs);
      const key = operatorKey(before, { hash, prefix }, nowMs);
      const outcome = await operators.replaceKey(before, key, firstAnswer, entry, nowMs);
      if (outcome === 'replaced') return { answer, secret };
      if (outcome === 'repeated') return outcome;
      throw busy();
    },
  );
  const after = await operators.find(id);
  if (after?.former_hash) await operators.expireKey(after.former_hash, nowMs + overlapSeconds * SECOND_MS);
  return rotated;
};

/**
 * Deletes an operator: its API keys are refused from the next request on. Throws `not_found`, or `conflict` for the last
 * operator. A repeat revokes the keys again, because a function may have died before it revoked them.
 */
export const deleteOperator = async (
  { by, nowMs }: Pick<OperatorRequest, 'by' | 'nowMs'>,
  id: string,
  operators: Operators,
): Promise<void> => {
  const operator = await operators.find(id);
  if (!operator) throw notFound('operator');
  const entry = auditEntry({ ...by, accountId: OPERATORS_AUDIT }, 'operator.deleted', id, nowMs);
  const outcome = operator.deleted_at ? 'gone' : await operators.remove(id, entry);
  if (outcome === 'last') {
    throw new PassPostError('conflict', 'This is the last operator. Create another operator first.');
  }
  for (const hash of [operator.hash, operator.former_hash]) {
    if (hash !== undefined) await operators.expireKey(hash, nowMs);
  }
  if (outcome === 'gone') throw notFound('operator');
};
