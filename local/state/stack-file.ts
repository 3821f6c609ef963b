import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A running local stack's endpoints and resources, which CloudFormation and the region provide on AWS. */
export interface StackFile {
  readonly stackName: string;
  readonly endpoints: { readonly dynamodb: string; readonly sqs: string; readonly lambda: string };
  readonly resources: readonly { readonly logicalId: string; readonly type: string; readonly physicalId: string }[];
}

const fileIn = (folder: string): string => join(folder, 'stack.json');

/** The file of the stack that runs on this data folder; undefined if no stack runs. */
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
