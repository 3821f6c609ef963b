import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';

/**
 * Returns the result of a conditional write, or null if the condition did not hold. Throws every other error of the
 * write.
 */
export const nullIfRefused = async <T>(write: Promise<T>): Promise<T | null> => {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return null;
    throw error;
  }
};
