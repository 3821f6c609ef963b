import * as z from 'zod';
import { isId } from '../domain/foundation/id.ts';

/** The account that an operator's call is about. */
export const accountIdSchema = z
  .string()
  .refine((text) => isId('acc', text), 'is not the id of an account')
  .meta({ description: "The account, for operators. An account's own key makes the call for its own account only." });
