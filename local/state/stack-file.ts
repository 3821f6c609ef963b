import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The endpoints and resources of a running local stack, for other processes such as `npm run ops`. On AWS, the region
 * gives the endpoints and CloudFormation lists the resources.
 */
export interface StackFile {
  readonly stackName: string;
  readonly endpoints: { readonly dynamodb: string; readonly sqs: string; readonly lambda: string };
  readonly resources: readonly { readonly logicalId: string; readonly type: string; readonly physicalId: string }[];
}

const fileIn = (folder: string): string => join(folder, 'stack.json');

/** Reads the stack file of the stack that runs on this data folder; undefined if no stack runs on it. */
export const readStackFile = (folder: string): StackFile | undefined => {
  try {
    return JSON.parse(readFileSync(fileIn(folder), 'utf8')) as StackFile;
  } catch {
    return undefined;
  }
};

export const writeStackFile = (folder: string, content: StackFile): void =>
  writeFileSync(fileIn(folder), JSON.stringify(content, null, 2));

export const removeStackFile = (folder: string): void => rmSync(fileIn(folder), { force: true });
