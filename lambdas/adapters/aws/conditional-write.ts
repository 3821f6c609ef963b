import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';

/** The result of a write on a condition, or null where the condition did not hold. Every other error is thrown. */
export const nullIfRefused = async <T>(write: Promise<T>): Promise<T | null> => {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return null;
    throw error;
  }
};
