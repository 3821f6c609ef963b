import type * as z from 'zod';
import { PassPostError } from '../domain/foundation/errors.ts';
import { kindOf, log } from './log.ts';

/**
 * Returns whether an operator invoked the function. Operators' events name their operation; CloudFormation's events
 * never do.
 */
export const isOperatorEvent = (event: unknown): boolean =>
  typeof event === 'object' && event !== null && 'operation' in event;

export type OperatorAnswer<T> = T | { readonly error: { readonly code: string; readonly message: string } };

const refusal = (code: string, message: string) => ({ error: { code, message } });

/**
 * Creates the handler of a function that an operator invokes; only IAM protects the function. The handler never throws:
 * an error is part of its answer. Answer and log name the kind of an unexpected failure but not its message, which may
 * hold secrets.
 */
export const operatorHandler =
  <S extends z.ZodType, T>(schema: S, perform: (request: z.output<S>) => Promise<T>) =>
  async (event: unknown): Promise<OperatorAnswer<T>> => {
    const parsed = schema.safeParse(event);
    if (!parsed.success) {
      const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'event'}: ${message}`);
      return refusal('invalid', problems.join('; '));
    }
    try {
      return await perform(parsed.data);
    } catch (error) {
      if (error instanceof PassPostError) return refusal(error.code, error.message);
      const { kind, at } = kindOf(error);
      log('error', 'operation.failed', { kind, at });
      return refusal('failed', `${kind}: see the function's log.`);
    }
  };
