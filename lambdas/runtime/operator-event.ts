import type * as z from 'zod';
import { PassPostError } from '../domain/foundation/errors.ts';
import { kindOf, log } from './log.ts';

/** Whether an operator invoked the function: his events name their operation, CloudFormation's never do. */
export const isOperatorEvent = (event: unknown): boolean =>
  typeof event === 'object' && event !== null && 'operation' in event;

export type OperatorAnswer<T> = T | { readonly error: { readonly code: string; readonly message: string } };

const refusal = (code: string, message: string) => ({ error: { code, message } });

/**
 * A function that an operator invokes, which his IAM permission allows and nothing else. It answers, whatever happens;
 * of a failure that is ours, answer and log say its kind and place only.
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
